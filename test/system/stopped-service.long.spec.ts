import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { Client } from "pg";
import { type Api, addProduct, bodyOf, createApi, type OrderBody, register, signIn } from "../support/api.ts";
import { assertBalanced } from "../support/books.ts";
import { ask, missingPostgres } from "../support/postgres.ts";
import { until } from "../support/process.ts";
import { type ExtraProcess, fourOnPostgres, type ProcessShop } from "../support/topology.ts";

const STOCK = 10;

describe("a shop on PostgreSQL, one of whose services is stopped in the midst of a unit of work", function () {
  this.timeout(120_000);
  let shop: ProcessShop;
  let api: Api;
  let standIn: ExtraProcess;
  let another: Api;

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    shop = await fourOnPostgres.start({ CALL_TIMEOUT: "30000" });
    api = createApi(shop.url);
    standIn = await shop.startBeside("orders");
    another = createApi(standIn.url);
  });
  after(async () => {
    await Promise.all([api?.close(), another?.close()]);
    await standIn?.kill();
    await shop?.stop();
  });

  it("holds up another of its kind until the server gives its transaction up, and nobody else; once it goes on, all is done once", async () => {
    const { url = "", server } = shop.database ?? {};
    const admin = await signIn(api);
    const buyer = await register(api, "ada");
    const product = await addProduct(api, admin, STOCK);
    const { id } = bodyOf<OrderBody>(await api.post("/orders", { product_id: product, quantity: 1 }, buyer.token));
    await shop.settled();
    const inTheWay = new Client({ connectionString: url });
    inTheWay.on("error", () => {}); // its server may end before it
    await inTheWay.connect();
    const waiting = async (count: number) => {
      const held =
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'quartet orders%'";
      await until(`${count} wait for the order`, async () => (await ask(url, held)).length === count);
    };

    await inTheWay.query("BEGIN");
    await inTheWay.query("SELECT FROM orders.orders WHERE id = $1 FOR UPDATE", [id]);
    const first = api.post(`/orders/${id}/cancel`, undefined, buyer.token);
    await waiting(1);
    const second = another.post(`/orders/${id}/cancel`, undefined, buyer.token);
    await waiting(2);
    const { pid } = shop.process("orders");
    process.kill(pid, "SIGSTOP");
    try {
      await inTheWay.query("COMMIT"); // now the first has the order, and says nothing
      await inTheWay.end();
      expect((await api.get("/users/me", buyer.token)).status).to.equal(200);
      expect((await api.get(`/products/${product}`)).status).to.equal(200);
      expect(bodyOf<OrderBody>(await second).status).to.equal("cancelled");
    } finally {
      process.kill(pid, "SIGCONT");
    }
    expect(await readFile(join(server?.dir ?? "", "log"), "utf8")).to.contain("due to idle-in-transaction timeout");
    expect(bodyOf<OrderBody>(await first).status).to.equal("cancelled");
    await shop.settled();
    await assertBalanced(api, admin, new Map([[product, STOCK]]));
  });
});
