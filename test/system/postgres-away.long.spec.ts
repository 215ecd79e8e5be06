import { expect } from "chai";
import { addProduct, bodyOf, createApi, type OrderBody, register, signIn } from "../support/api.ts";
import { missingPostgres } from "../support/postgres.ts";
import { until, untilReady } from "../support/process.ts";
import { oneOnPostgres, type ProcessShop } from "../support/topology.ts";

describe("a shop whose PostgreSQL goes away for a while", () => {
  let shop: ProcessShop;

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    shop = await oneOnPostgres.start();
  });
  after(() => shop?.stop());

  it("fails by name and with a red light, and goes on by itself when it is back", async () => {
    const api = createApi(shop.url);
    const admin = await signIn(api);
    const buyer = await register(api, "ada");
    const product = await addProduct(api, admin, 5);
    const place = () => api.post("/orders", { product_id: product, quantity: 1 }, buyer.token);
    await shop.database?.server.kill();
    expect(await place())
      .to.deep.include({ status: 503 })
      .and.to.have.nested.property("body.title", "Dependency unavailable");
    await until("it is not ready", async () => (await api.get("/readyz")).status === 503);
    await shop.database?.server.start();
    await untilReady(shop.url, [shop.process("gateway")]);
    const placed = bodyOf<OrderBody>(await place());
    await shop.settled();
    expect(bodyOf<OrderBody>(await api.get(`/orders/${placed.id}`, buyer.token)).status).to.equal("confirmed");
    await api.close();
  });
});
