import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { readBooks, untilBooksAre } from "../../bench/books.ts";
import { openDatabase } from "../../bench/database.ts";
import { type Shop, withShops } from "../../bench/shop.ts";

const ONE_AFTER_THE_OTHER = { connections: 1 };
const ONCE = 0;

describe("the benchmarks", () => {
  it("measure a bare program that takes an order to its end, and writes the rows that the shop writes", async () => {
    await withShops([{ topology: "one" }, { topology: "bare" }], async (shops) => {
      for (const shop of shops) {
        for (const kind of ["orders", "confirmed", "orders", "confirmed"] as const) {
          expect((await shop.measure(kind, ONE_AFTER_THE_OTHER, ONCE)).answers, shop.name).to.equal(1);
        }
      }
      const [ours, bare] = shops.map(rowsOf);
      expect(ours?.orders).to.have.length(4);
      expect(bare).to.deep.equal(ours);
    });
  });

  it("are there, all that docs/PERFORMANCE.md is measured with", () => {
    const root = new URL("../../", import.meta.url);
    const page = readFileSync(new URL("docs/PERFORMANCE.md", root), "utf8");
    const programs = Array.from(page.matchAll(/^<!-- bench(?: long)?: node (\S+) /gm), ([, program = ""]) => program);
    expect(programs).to.include("bench/lone.ts");
    expect(programs.filter((program) => !existsSync(new URL(program, root)))).to.deep.equal([]);
    expect(page.match(/^<!-- end -->$/gm)).to.have.length(programs.length);
  });

  it("have no figure of a program that leaves an order half done", async () => {
    const folder = mkdtempSync(join(tmpdir(), "quartet-books-"));
    try {
      const orders = openDatabase("orders", folder);
      orders.prepare("INSERT INTO orders VALUES ('o', 'u', ?, '[]', 0, 'USD', NULL, '', '')").run("pending");
      const products = openDatabase("products", folder);
      const columns = "id, name, description, price_cents, currency, stock, active, created_at, updated_at";
      products.exec(`INSERT INTO products (${columns}) VALUES ('p', 'Cup', '', 1, 'USD', 8, 1, '', '')`);
      const done = { orders: 1, confirmed: 1, taken: 1, units: 2, stock: 8 };
      const fails = () => untilBooksAre(() => readBooks(folder), done, 0).then(() => "passes", String);
      expect(await fails(), "neither confirmed nor in the ledger").to.include('"confirmed":0,"taken":0');
      products.exec("INSERT INTO stock_ledger VALUES ('o', 'reserved', 'p', -2, '', NULL)");
      expect(await fails(), "not confirmed").to.include('"confirmed":0,"taken":1');
      orders.exec("UPDATE orders SET status = 'confirmed'");
      expect(await fails()).to.equal("passes");
      expect(readBooks(folder)).to.deep.equal(done);
      for (const database of [orders, products]) database.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** What an order writes, but for what is random in it. */
function rowsOf({ topology: { folder } }: Shop) {
  const rows = (name: string, query: string) => {
    const database = new Database(join(folder, `${name}.db`), { readonly: true });
    const found = database.prepare<[], Record<string, unknown>>(query).all();
    database.close();
    return found.map((row) => JSON.stringify(row, withoutEpoch).replaceAll(RANDOM, "…"));
  };
  return {
    orders: rows("orders", "SELECT * FROM orders ORDER BY id"),
    created: rows("orders", "SELECT * FROM outbox"),
    confirmations: rows("orders", "SELECT * FROM cursors"),
    ledger: rows("products", "SELECT * FROM stock_ledger WHERE reason = 'reserved' ORDER BY cause"),
    replies: rows("products", "SELECT * FROM outbox"),
    reservations: rows("products", "SELECT * FROM cursors"),
  };
}

/** Ids, traces and times. */
const RANDOM = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}-[0-9a-f]{16}|\d{4}-\d\d-\d\dT[\d:.]+Z/g;

function withoutEpoch(key: string, value: unknown): unknown {
  return key.endsWith("epoch") ? String(value).length : value;
}
