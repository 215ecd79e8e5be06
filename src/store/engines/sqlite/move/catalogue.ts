import type { Database } from "better-sqlite3";
import { MARK_TABLE } from "../../../move/mark.ts";
import { referredFirst } from "../../../move/referred-first.ts";
import type { Table } from "../../../move/tables.ts";

interface Column {
  readonly name: string;
  readonly type: string;
  /** Its place in the primary key, from 1; 0 where it is not of it. */
  readonly pk: number;
}

/**
 * All tables but the mark's and those that SQLite keeps for itself or for a search, those that others refer to first. Where the order of rows is kept
 * in what SQLite calls rowid, that is one of the columns.
 */
export function readCatalogue(database: Database): Table[] {
  const rows = database
    .prepare<[string], { name: string; wr: 0 | 1 }>(
      `SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' AND name <> ?
        ORDER BY name`,
    )
    .all(MARK_TABLE);
  const tables = rows.map(({ name, wr }) => readTable(database, name, wr === 1));
  return referredFirst(tables, ({ name }) => referredBy(database, name));
}

/** The full-text indexes, which have nothing of their own. */
export function searchTables(database: Database): string[] {
  return database.prepare<[], string>("SELECT name FROM pragma_table_list WHERE type = 'virtual'").pluck().all();
}

function readTable(database: Database, name: string, withoutRowid: boolean): Table {
  const columns = database.prepare<[string], Column>("SELECT name, type, pk FROM pragma_table_info(?)").all(name);
  const keyed = columns.filter(({ pk }) => pk > 0).sort((one, other) => one.pk - other.pk);
  const hasRowid = !withoutRowid && !(keyed.length === 1 && keyed[0]?.type === "INTEGER");
  return {
    name,
    columns: [...columns.map(({ name }) => name), ...(hasRowid ? ["rowid"] : [])],
    key: keyed.map(({ name }) => name),
  };
}

function referredBy(database: Database, name: string): string[] {
  return database.prepare<[string], string>('SELECT "table" FROM pragma_foreign_key_list(?)').pluck().all(name);
}
