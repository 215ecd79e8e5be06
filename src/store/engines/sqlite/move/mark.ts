import type { Database } from "better-sqlite3";
import { MARK_TABLE, type Mark } from "../../../move/mark.ts";
import { hasTable } from "../has-table.ts";

/** Whose half a database is, undefined where it is whole. */
export function readMark(database: Database): Mark | undefined {
  if (!hasTable(database, MARK_TABLE)) return undefined;
  return database.prepare<[], Mark>(`SELECT database, source FROM ${MARK_TABLE}`).get();
}

export function writeMark(database: Database, { database: of, source }: Mark): void {
  database.transaction(() => {
    database.exec(`CREATE TABLE ${MARK_TABLE} (database TEXT NOT NULL, source TEXT NOT NULL) STRICT`);
    database.prepare(`INSERT INTO ${MARK_TABLE} VALUES (?, ?)`).run(of, source);
  })();
}

export function dropMark(database: Database): void {
  database.exec(`DROP TABLE ${MARK_TABLE}`);
}
