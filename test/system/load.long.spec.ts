import { expect } from "chai";
import {
  type Answer,
  type Api,
  addProduct,
  createApi,
  register,
  type Session,
  signIn,
  stockOf,
} from "../support/api.ts";
import { assertBalanced, confirmedUnits } from "../support/books.ts";
import { extent } from "../support/extent.ts";
import { fourProcesses, oneProcess, type Shop } from "../support/topology.ts";

const BUYERS = 200;

for (const topology of extent("many orders at once in one process", [oneProcess, fourProcesses], [fourProcesses])) {
  describe(`many orders: ${topology.name}`, () => {
    let shop: Shop;
    let api: Api;
    let admin: Session;
    const buyers: Session[] = [];

    before(async () => {
      shop = await topology.start({ CALL_TIMEOUT: "30000" }); // what is asked for here is that all adds up
      api = createApi(shop.url, 1_000);
      admin = await signIn(api);
      // In rows of ten: more passwords at once would be refused.
      for (let row = 0; row < BUYERS; row += 10) {
        const names = Array.from({ length: 10 }, (_, n) => `buyer-${row + n}`);
        buyers.push(...(await Promise.all(names.map((name) => register(api, name)))));
      }
    });

    after(async () => {
      await api.close();
      await shop.stop();
    });

    it("200 buyers at once get exactly the 7 units that there are", async () => {
      await buyAtOnce(7, (product) => ({ product_id: product, quantity: 1 }));
    });

    it("200 buyers at once, each with two lines for one product, get exactly the 14 units that there are", async () => {
      const line = (product: string) => ({ product_id: product, quantity: 1 });
      await buyAtOnce(14, (product) => ({ items: [line(product), line(product)] }));
    });

    it("1,000 orders one after the other leave no unit unaccounted for", async () => {
      const opening = await stockUp(5, 300);
      const products = [...opening.keys()];
      for (let n = 0; n < 1_000; n++) expectTaken(await place(n, products, (n % 3) + 1));
      await shop.settled();
      await assertBalanced(api, admin, opening);
    });

    it("1,000 orders at once leave no unit unaccounted for", async () => {
      const opening = await stockUp(5, 300);
      const products = [...opening.keys()];
      const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => place(n, products, (n % 3) + 1)));
      answers.forEach(expectTaken);
      await shop.settled();
      const orders = await assertBalanced(api, admin, opening);
      // 2,000 units were wanted of 1,500: all that could be sold was, but for what no order is small enough for.
      for (const product of products) expect(confirmedUnits(orders, product)).to.be.at.least(298);
    });

    async function buyAtOnce(stock: number, bodyFor: (product: string) => object): Promise<void> {
      const product = await addProduct(api, admin, stock);
      const answers = await Promise.all(buyers.map(({ token }) => api.post("/orders", bodyFor(product), token)));
      answers.forEach(expectTaken);
      await shop.settled();
      const orders = await assertBalanced(api, admin, new Map([[product, stock]]));
      expect(confirmedUnits(orders, product)).to.equal(stock);
      expect(await stockOf(api, product)).to.equal(0);
    }

    async function stockUp(count: number, stock: number): Promise<Map<string, number>> {
      const opening = new Map<string, number>();
      for (let n = 0; n < count; n++) opening.set(await addProduct(api, admin, stock), stock);
      return opening;
    }

    function place(n: number, products: readonly string[], quantity: number): Promise<Answer> {
      const body = { product_id: products[n % products.length], quantity };
      return api.post("/orders", body, buyers[n % BUYERS]?.token);
    }
  });
}

/** Taken, or told at once that there is not enough. */
function expectTaken({ status, body }: Answer): void {
  expect([201, 409], JSON.stringify(body)).to.include(status);
}
