import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import {
  ADMIN,
  type Api,
  addProduct,
  allOrders,
  createApi,
  register,
  type Session,
  signIn,
  stockOf,
} from "../support/api.ts";
import { missingPostgres } from "../support/postgres.ts";
import { fourOfOne } from "../support/replicas.ts";

const BUYERS = 500;

/** The first admin; in production not with the password that everybody knows. */
const OWNER = { ...ADMIN, password: "known to the owner alone" };

describe("four replicas of all modules on PostgreSQL", () => {
  it(`sell seven to ${BUYERS} who want one each, and no more`, async function () {
    if (missingPostgres() !== undefined) return this.skip();
    const shop = await fourOfOne.start({
      NODE_ENV: "production",
      ADMIN_PASSWORD: OWNER.password,
      CALL_TIMEOUT: "60000",
    });
    const each = shop.replicas.map(({ url }) => createApi(url));
    const [api = createApi(shop.url)] = each;
    try {
      expect(each).to.have.length(4);
      const product = await addProduct(api, await signIn(api, OWNER), 7);
      const buyer = await register(api, "crowd");
      const buyAt = (n: number) => buyUntilAnswered(each[n % each.length] ?? api, product, buyer, `buyer ${n}`);
      await Promise.all(Array.from({ length: BUYERS }, (_, n) => buyAt(n)));
      await shop.settled();
      const orders = await allOrders(api, buyer);
      expect(orders.filter((order) => order.status === "confirmed")).to.have.length(7);
      expect(orders.filter((order) => order.status === "pending")).to.have.length(0);
      expect(await stockOf(api, product)).to.equal(0);
    } finally {
      await Promise.all(each.map((one) => one.close()));
      await shop.stop();
    }
  });
});

/** Asks again with the same key while more wait than the shop has time for. Who comes late is told that nothing is left. */
async function buyUntilAnswered(at: Api, product: string, { token }: Session, key: string): Promise<void> {
  for (;;) {
    const answer = await at.post("/orders", { product_id: product, quantity: 1 }, token, { "idempotency-key": key });
    if (answer.status === 201 || JSON.stringify(answer.body).includes("insufficient-stock")) return;
    expect([409, 503, 504], JSON.stringify(answer.body)).to.include(answer.status);
    await sleep(100);
  }
}
