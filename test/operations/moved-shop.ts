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
