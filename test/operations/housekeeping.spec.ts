import Database from "better-sqlite3";
import { expect } from "chai";
import { type Api, addProduct, createApi, register, signIn } from "../support/api.ts";
import { readTables } from "../support/databases.ts";
import { until } from "../support/process.ts";
import { oneProcess, type ProcessShop } from "../support/topology.ts";

describe("kept answers", () => {
  let shop: ProcessShop;
  let api: Api;

  before(async () => {
    shop = await oneProcess.start({ NODE_ENV: "test" });
    api = createApi(shop.url);
  });

  after(async () => {
    await api?.close();
    await shop?.stop();
  });

  it("go when they are older than a day, and no other", async () => {
    const product_id = await addProduct(api, await signIn(api), 9);
    const buyer = await register(api, "careful");
    for (const key of ["old", "new"]) {
      const headers = { "idempotency-key": key };
      const { status } = await api.post("/orders", { product_id, quantity: 1 }, buyer.token, headers);
      expect(status).to.equal(201);
    }
    const file = (await shop.databases())("orders");
    await shop.process("gateway").terminate();
    const database = new Database(file);
    database.exec("UPDATE answers SET kept_at_ms = kept_at_ms - 86400001 WHERE key LIKE '%old'");
    database.close();
    await shop.restart("gateway");
    const keys = () => readTables(file).answers?.map(({ key }) => String(key).replace(/^.*\W/, "")) ?? [];
    await until("the old one is gone", () => keys().length === 1);
    expect(keys()).to.deep.equal(["new"]);
    expect(readTables(file).orders).to.have.lengthOf(2);
  });
});
