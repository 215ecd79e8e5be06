import type { Database } from "better-sqlite3";
import type { Cell, Cells, Table, Tables } from "../../../move/tables.ts";
import type { DatabaseFile } from "../snapshot.ts";
import { SqliteReading } from "../sqlite-unit.ts";
import { Statements } from "../statements.ts";
import { readCatalogue } from "./catalogue.ts";

/** Rows at a time. */
const BATCH = 1_000;

/** The tables of a file that is open. */
export function fileTables({ name, file }: DatabaseFile, database: Database): Omit<Tables, "close"> {
  const statements = new Statements({ database, name, beforeRead: () => {} });
  return {
    name,
    place: file,
    tables: readCatalogue(database),
    async *rows({ name: table, columns, key }, after) {
      const where = after === undefined ? "" : `WHERE (${list(key)}) > (${key.map(() => "?").join(", ")})`;
      const statement = database.prepare<Cell[], Cells>(
        `SELECT ${list(columns)} FROM ${quote(table)} ${where} ORDER BY ${list(key)}`,
      );
      let rows: Cells[] = [];
      for (const row of statement.raw().iterate(...(after ?? []))) {
        if (rows.push(row) < BATCH) continue;
        yield rows;
        rows = [];
      }
      if (rows.length > 0) yield rows;
    },
    async read(work) {
      return new SqliteReading(statements).runToEnd(work);
    },
  };
}

/** A statement that adds a row to a table. */
export function insertInto({ name, columns }: Table): string {
  return `INSERT INTO ${quote(name)} (${list(columns)}) VALUES (${columns.map(() => "?").join(", ")})`;
}

/** The greatest key. */
export function lastKeyOf(database: Database, { name, key }: Table): Cells | undefined {
  const descending = key.map((column) => `${quote(column)} DESC`).join(", ");
  return database
    .prepare<[], Cells>(`SELECT ${list(key)} FROM ${quote(name)} ORDER BY ${descending} LIMIT 1`)
    .raw()
    .get();
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function list(columns: readonly string[]): string {
  return columns.map(quote).join(", ");
}
