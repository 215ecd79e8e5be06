import { randomUUID } from "node:crypto";
import type { Database } from "better-sqlite3";
import type { Schema } from "../../migration-files.ts";
import { requireNoMark } from "../../move/mark.ts";
import { StoreRefusal } from "../../refusal.ts";
import { newestOf } from "../../schema-state.ts";
import { hasTable } from "./has-table.ts";
import { versionsOf } from "./migrations.ts";
import { readMark } from "./move/mark.ts";

/**
 * Looks whether a database is a module's own, without changing it. One from before databases said so is known by the first table that
 * the module makes, unless a kill came before that.
 * @throws StoreRefusal when it is another's, or the half of a move
 */
export function requireOwn(database: Database, name: string, schema: Schema): void {
  requireNoOther(database, name);
  requireNoMark(readMark(database));
  if (hasTable(database, "identity")) return;
  const { store, module } = versionsOf(database);
  if (store > newestOf(schema).store) return; // newer: its tables may be others
  if (database.prepare("SELECT 1 FROM sqlite_master LIMIT 1").get() === undefined) return;
  // The store's own tables are made first: tables without them are another program's, whatever they are called.
  if (store === 0) throw new StoreRefusal(`is not a database of ${name}`);
  const [, first] = /^CREATE TABLE (\w+)/m.exec(schema.module[0]?.sql ?? "") ?? [];
  if (module === 0 || first === undefined || hasTable(database, first)) return;
  throw new StoreRefusal(`is not a database of ${name}: it has no table ${first}`);
}

/**
 * Looks whether a database says that it is another module's.
 * @throws StoreRefusal when it is
 */
export function requireNoOther(database: Database, name: string): void {
  if (!hasTable(database, "identity")) return;
  const row = database.prepare<[], { module: string }>("SELECT module FROM identity").get();
  if (row === undefined || row.module === name) return;
  throw new StoreRefusal(`is the database of ${row.module}, not of ${name}`);
}

/** Has a database say whose it is, if it does not yet. */
export function writeIdentity(database: Database, name: string): void {
  database.prepare("INSERT OR IGNORE INTO identity (id, module, database) VALUES (1, ?, ?)").run(name, randomUUID());
}

/** Which database this is, of all that there are of its module. */
export function identityOf(database: Database): string | undefined {
  return database.prepare<[], { database: string }>("SELECT database FROM identity").get()?.database;
}
