import type { Database } from "better-sqlite3";

/** Whether a database has a table of this name. */
export function hasTable(database: Database, table: string): boolean {
  const found = database.prepare<[string]>("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table);
  return found !== undefined;
}
