import { expect } from "chai";
import { type Answer, type Api, bodyOf, createApi, type OrderBody, register, signIn, stockOf } from "../support/api.ts";
import { fourProcesses, oneProcess, type Shop } from "../support/topology.ts";

for (const topology of [oneProcess, fourProcesses]) {
  describe(`a walk through the shop: ${topology.name}`, () => {
    let shop: Shop;
    let api: Api;

    before(async () => {
      shop = await topology.start();
      api = createApi(shop.url);
    });

    after(async () => {
      await api.close();
      await shop.stop();
    });

    it("lets a person register, log in, look around, order by both paths and see the stock lower", async () => {
      const person = { name: "Ada", email: "ada@example.org", password: "a lovelace engine" };
      expect((await api.post("/users/register", person)).status).to.equal(201);
      const { token } = await signIn(api, person);
      const [product] = bodyOf<{ data: { id: string; stock: number }[] }>(await api.get("/products")).data;
      const { id = "", stock = 0 } = product ?? {};
      for (const path of ["/orders", "/orders/create"]) {
        const placed = await api.post(path, { product_id: id, quantity: 2 }, token);
        expect([placed.status, bodyOf<OrderBody>(placed).status]).to.deep.equal([201, "pending"]);
        expect(await finalStatus(placed, token)).to.equal("confirmed");
      }
      expect(await stockOf(api, id)).to.equal(stock - 4);
    });

    it("lets the admin add products and list users, and nobody else", async () => {
      const admin = await signIn(api);
      const { token } = await register(api, "grace");
      const product = { name: "Kettle", price_cents: 2_900, stock: 3 };
      expect((await api.post("/products", product, admin.token)).status).to.equal(201);
      expect((await api.post("/products", product, token)).status).to.equal(403);
      const { data } = bodyOf<{ data: { email: string }[] }>(await api.get("/users", admin.token));
      expect(data.map(({ email }) => email)).to.include.members(["grace@example.org", "admin@example.com"]);
      expect((await api.get("/users", token)).status).to.equal(403);
    });

    it("refuses more than there is at once, and one of two orders that together are too much", async () => {
      const admin = await signIn(api);
      const { token } = await register(api, "joan");
      const product = { name: "Rare", price_cents: 99_900, stock: 5 };
      const { id } = bodyOf<{ id: string }>(await api.post("/products", product, admin.token));
      expect((await api.post("/orders", { product_id: id, quantity: 6 }, token)).status).to.equal(409);
      // The second may be told at once, when it is late enough to see what the first has taken.
      const placed = await Promise.all(
        [3, 3].map((quantity) => api.post("/orders", { product_id: id, quantity }, token)),
      );
      const ends = await Promise.all(
        placed.map((answer) => (answer.status === 409 ? "rejected" : finalStatus(answer, token))),
      );
      expect(ends.sort()).to.deep.equal(["confirmed", "rejected"]);
      expect(await stockOf(api, id)).to.equal(2);
    });

    async function finalStatus(placed: Answer, token: string): Promise<string> {
      const { id } = bodyOf<OrderBody>(placed);
      return bodyOf<OrderBody>(await api.get(`/orders/${id}`, token, { prefer: "wait=30" })).status;
    }
  });
}
