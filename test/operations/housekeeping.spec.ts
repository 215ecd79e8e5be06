import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { expect } from "chai";
import { type Api, addProduct, createApi, register, signIn } from "../support/api.ts";
import { readTables } from "../support/databases.ts";
import { inWholeRun } from "../support/extent.ts";
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

inWholeRun("the write-ahead log of a shop at rest", () => {
  describe("the write-ahead log of a shop at rest", () => {
    it("becomes small again when whoever let it grow has gone", async () => {
      const shop = await oneProcess.start();
      try {
        const file = (await shop.databases())("orders");
        const reader = new Database(file, { readonly: true });
        reader.exec("BEGIN");
        reader.prepare("SELECT count(*) FROM orders").get();
        const writer = new Database(file);
        writer.exec("CREATE TABLE junk (bytes); INSERT INTO junk VALUES (zeroblob(20000000)); DROP TABLE junk");
        const sizeOfLog = () => statSync(`${file}-wal`).size;
        expect(sizeOfLog()).to.be.above(10_000_000);
        writer.close();
        reader.close();
        await until("it is small", () => sizeOfLog() < 1_000_000);
      } finally {
        await shop.stop();
      }
    });
  });
});
