import { expect } from "chai";
import {
  type Api,
  addProduct,
  bodyOf,
  createApi,
  type OrderBody,
  register,
  type Session,
  signIn,
} from "../support/api.ts";
import { fourProcesses, oneProcess, type ProcessShop, SERVICES, type Service } from "../support/topology.ts";

const PLACES: readonly [typeof oneProcess, readonly Service[]][] = [
  [oneProcess, ["gateway"]],
  [fourProcesses, SERVICES],
];

for (const [topology, services] of PLACES) {
  describe(`SIGTERM: ${topology.name}`, () => {
    let shop: ProcessShop;
    let api: Api;
    let buyer: Session;
    let product: string;

    beforeEach(async () => {
      // What is asked for in the meantime takes longer than `underWay`, and an order stays pending.
      const faults = "orders.listOrders=delay:4000,products:order.created=poison";
      shop = await topology.start({ FAULTS: faults, NODE_ENV: "test" });
      api = createApi(shop.url);
      buyer = await register(api, "patient");
      product = await addProduct(api, await signIn(api), 9);
    });

    afterEach(async () => {
      await api.close();
      await shop.stop();
    });

    it("lets the requests under way finish, and ends with status 0", async () => {
      const slow = Array.from({ length: 5 }, () => api.get("/orders", buyer.token));
      await underWay();
      const exits = services.map((service) => shop.process(service).terminate());
      const answers = await Promise.all(slow);
      expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200, 200]);
      expect(answers.map(({ headers }) => headers.connection)).to.deep.equal(Array(5).fill("close"));
      expect(await Promise.all(exits)).to.deep.equal(services.map(() => ({ code: 0, signal: null })));
    });

    it("ends waits with the order as it is, and keeps what was acknowledged", async () => {
      const { id } = bodyOf<OrderBody>(await api.post("/orders", { product_id: product, quantity: 1 }, buyer.token));
      const waiting = api.get(`/orders/${id}`, buyer.token, { prefer: "wait=30" });
      await underWay();
      const exits = services.map((service) => shop.process(service).terminate());
      const answer = await waiting;
      expect([answer.status, bodyOf<OrderBody>(answer).status]).to.deep.equal([200, "pending"]);
      expect(await Promise.all(exits)).to.deep.equal(services.map(() => ({ code: 0, signal: null })));
      await Promise.all(services.map((service) => shop.restart(service)));
      expect(bodyOf<OrderBody>(await api.get(`/orders/${id}`, buyer.token)).status).to.equal("pending");
    });

    if (services.length > 1) {
      it("ends waits with the order as it is when the gateway alone stops", async () => {
        const { id } = bodyOf<OrderBody>(await api.post("/orders", { product_id: product, quantity: 1 }, buyer.token));
        const waiting = api.get(`/orders/${id}`, buyer.token, { prefer: "wait=30" });
        await underWay();
        const exit = shop.process("gateway").terminate();
        const answer = await waiting;
        expect([answer.status, bodyOf<OrderBody>(answer).status]).to.deep.equal([200, "pending"]);
        expect(await exit).to.deep.equal({ code: 0, signal: null });
      });
    }

    /** An answer that was asked for later: what was sent before it has arrived. */
    async function underWay(): Promise<void> {
      for (let n = 0; n < 8; n++) await api.get("/users/me", buyer.token);
    }
  });
}
