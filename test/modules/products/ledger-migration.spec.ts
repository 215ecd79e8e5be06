import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { validate } from "uuid";
import { readStockBook } from "../../../src/modules/products/index.ts";
import { createProductStore } from "../../../src/modules/products/store.ts";
import { openStore } from "../../../src/store/engines/sqlite/open-store.ts";

const MODULE = new URL("../../../src/modules/products/migrations/", import.meta.url);
const STORE = new URL("../../../src/store/engines/sqlite/migrations/", import.meta.url);

/** A pen of 10, restocked by 5 and by 7: one order holds 3, one gave 4 back, and two took nothing. */
const ROWS = `
  INSERT INTO products VALUES ('pen', 'Pen', '', 100, 'USD', 19, 1, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
  INSERT INTO stock_ledger (product_id, delta, reason, order_id, at) VALUES
    ('pen', 10, 'initial', NULL, '2026-01-01T00:00:00.000Z'),
    ('pen', 5, 'restocked', NULL, '2026-01-02T00:00:00.000Z'),
    ('pen', 7, 'restocked', NULL, '2026-01-02T00:00:00.000Z'),
    ('pen', -3, 'reserved', 'held', '2026-01-03T00:00:00.000Z'),
    ('pen', -4, 'reserved', 'returned', '2026-01-03T00:00:00.000Z'),
    ('pen', 4, 'released', 'returned', '2026-01-04T00:00:00.000Z');
  INSERT INTO reservations VALUES
    ('held', 'reserved'), ('returned', 'released'), ('short', 'rejected'), ('early', 'cancelled');
`;

describe("the products of a shop that is older than the causes in its ledger", () => {
  const folder = mkdtempSync(join(tmpdir(), "quartet-ledger-"));
  const file = join(folder, "products.db");
  after(() => rmSync(folder, { recursive: true }));

  it("keep every movement and every decision, and are found by their words", async () => {
    makeOldDatabase(file);
    const store = openStore({ name: "products", file, migrations: MODULE });
    const { products, reservations } = await readStockBook(store);
    const ledger = store.prepare<[], { cause: string; delta: number; at: string }>(
      "SELECT cause, delta, at FROM stock_ledger ORDER BY at, delta",
    );
    const catalogue = createProductStore(store);
    const found = await catalogue.list({ active: true, text: "pen", sort: "name" }, undefined, 10);
    const restocked = ledger.all().filter(({ delta }) => delta === 5 || delta === 7);
    await store.close();
    expect(found.map(({ id, name, price_cents, stock }) => [id, name, price_cents, stock])).to.deep.equal([
      ["pen", "Pen", 100, 19],
    ]);
    expect(products).to.deep.equal([{ id: "pen", stock: 19, ledgerSum: 19 }]);
    expect(new Map(reservations)).to.deep.equal(
      new Map<string, unknown>([
        ["early", { state: "cancelled", held: new Map() }],
        ["short", { state: "rejected", held: new Map() }],
        ["held", { state: "reserved", held: new Map([["pen", 3]]) }],
        ["returned", { state: "released", held: new Map() }],
      ]),
    );
    expect(new Set(restocked.map(({ cause }) => cause)).size).to.equal(2);
    for (const { cause, at } of restocked) {
      expect(validate(cause), cause).to.equal(true);
      expect(Number.parseInt(cause.replace("-", "").slice(0, 12), 16)).to.equal(Date.parse(at));
    }
  });
});

function makeOldDatabase(file: string): void {
  const database = new Database(file);
  const run = (folder: URL, name: string) => database.exec(readFileSync(new URL(name, folder), "utf8"));
  for (const name of ["0001-log-cursors-answers.sql", "0002-dead-letter-ids.sql"]) run(STORE, name);
  run(MODULE, "0001-products.sql");
  database.pragma("user_version = 2001");
  database.exec(ROWS);
  database.close();
}
