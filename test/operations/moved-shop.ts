import Database from "better-sqlite3";
import { expect } from "chai";
import { databaseIn, migrationsOf } from "../../src/runtime/database-files.ts";
import { openStore } from "../../src/store/engines/sqlite/open-store.ts";
import { MODULES, type ModuleName } from "../support/databases.ts";
import { writeOlderDatabases } from "../support/older-databases.ts";

/** What each table's rows may be taken for when they are copied: quotes, what separates, no text, what looks like no value. */
const AWKWARD = `\\ "' {},;\n\t NULL £ä😀`;

/** Of a counter, as PostgreSQL has it. */
const HIGHEST = 2_147_483_647;

/** Those that SQLite has for itself, and what is in them is made anew. */
const OWN = /^(sqlite_|headroom$|products_search)/;

interface Column {
  readonly name: string;
  readonly type: string;
}

/** All rows of all tables of all modules, by `module.table`, in their order. */
export type Shop = Readonly<Record<string, readonly unknown[]>>;

/** Writes a shop that has a row in every table, which is not served. */
export async function writeShop(folder: string): Promise<void> {
  writeOlderDatabases(folder);
  for (const name of MODULES) {
    const file = databaseIn(folder, name);
    await openStore({ name, file, migrations: migrationsOf(name) }).close();
    const database = new Database(file);
    database.pragma("foreign_keys = OFF");
    for (const table of tablesOf(database)) if (isEmpty(database, table)) fill(database, table);
    database.close();
  }
  for (const [table, rows] of Object.entries(readShop(folder))) expect(rows, table).to.not.have.lengthOf(0);
}

export function readShop(folder: string): Shop {
  const tables = MODULES.flatMap((name) => Object.entries(readModule(folder, name)));
  return Object.fromEntries(tables);
}

function readModule(folder: string, name: ModuleName): Shop {
  const database = new Database(databaseIn(folder, name), { readonly: true });
  try {
    return Object.fromEntries(
      tablesOf(database).map((table) => {
        const columns = columnsOf(database, table).map((column) => column.name);
        const rows = database.prepare(
          `SELECT ${orderOf(database, table)} AS place, * FROM ${table} ORDER BY place, ${columns.join(", ")}`,
        );
        return [`${name}.${table}`, rows.all()];
      }),
    );
  } finally {
    database.close();
  }
}

/** By which the module's own code finds which row came first, where it is not a column. */
function orderOf(database: Database.Database, table: string): string {
  const { sql } = database
    .prepare<[string], { sql: string }>("SELECT sql FROM sqlite_schema WHERE name = ?")
    .get(table) ?? { sql: "" };
  return sql.includes("WITHOUT ROWID") ? "0" : "rowid";
}

function tablesOf(database: Database.Database): string[] {
  return database
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .pluck()
    .all()
    .filter((name) => !OWN.test(name));
}

function columnsOf(database: Database.Database, table: string): Column[] {
  return database.prepare<[string], Column>("SELECT name, type FROM pragma_table_info(?)").all(table);
}

function isEmpty(database: Database.Database, table: string): boolean {
  return database.prepare(`SELECT 1 FROM ${table}`).get() === undefined;
}

function fill(database: Database.Database, table: string): void {
  const columns = columnsOf(database, table);
  const insert = database.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => "?").join(", ")})`);
  for (const number of [HIGHEST, 3, 5]) {
    insert.run(...columns.map(({ name, type }) => cellOf(name, type, number)));
  }
}

/** Events are read as what they are; all else may be anything. */
function cellOf(name: string, type: string, number: number): string | number {
  if (type === "INTEGER") return number === HIGHEST && /^seq$|_ms$/.test(name) ? Number.MAX_SAFE_INTEGER : number;
  return name === "event" ? JSON.stringify({ subject: `${number}${AWKWARD}` }) : `${number}${AWKWARD}`;
}

/** Writes a shop with so many orders, all confirmed, of one user for one product: all their events are in the logs, and applied. */
export async function writeLargeShop(folder: string, orders: number): Promise<void> {
  for (const name of MODULES)
    await openStore({ name, file: databaseIn(folder, name), migrations: migrationsOf(name) }).close();
  const write = (name: ModuleName, statements: string) => {
    const database = new Database(databaseIn(folder, name));
    database.exec(`BEGIN; ${statements}; COMMIT`);
    database.close();
  };
  const numbers = `WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < ${orders})`;
  const id = "format('01900000-0000-7000-8000-%012x', n)";
  const at = "strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + n, 'unixepoch')";
  const items = "json_array(json_object('product_id', 'mug', 'quantity', 1, 'unit_price_cents', 100, 'name', 'Mug'))";
  const log = (type: string) => `${numbers} INSERT INTO outbox SELECT n, 'e', CASE n WHEN 1 THEN '' ELSE 'e' END,
    json_object('specversion', '1.0', 'id', ${id}, 'type', '${type}', 'subject', ${id}, 'time', ${at}, 'data', json_object('order_id', ${id}))
    FROM numbers`;
  const cursor = (publisher: ModuleName) => `INSERT INTO cursors VALUES (1, '${publisher}', 'e', ${orders})`;

  write(
    "users",
    "INSERT INTO users VALUES ('ann', 'Ann', 'ann@example.org', 'ann@example.org', 'customer', 'none', '2026')",
  );
  write(
    "products",
    `${log("stock.reserved")}; ${cursor("orders")};
    INSERT INTO products VALUES (1, 'mug', 'Mug', '', 100, 'EUR', 0, 1, '2026', '2026');
    INSERT INTO stock_ledger VALUES ('mug', 'initial', 'mug', ${orders}, '2026', NULL);
    ${numbers} INSERT INTO stock_ledger SELECT ${id}, 'reserved', 'mug', -1, ${at}, NULL FROM numbers`,
  );
  write(
    "orders",
    `${log("order.created")}; ${cursor("products")};
    ${numbers} INSERT INTO orders SELECT ${id}, 'ann', 'confirmed', ${items}, 100, 'EUR', NULL, ${at}, ${at} FROM numbers;
    ${numbers} INSERT INTO answers (principal, key, fingerprint, answer, kept_at_ms)
    SELECT 'ann', 'key ' || n, 'f', json_object('id', ${id}), n FROM numbers`,
  );
}
