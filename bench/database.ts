import { join } from "node:path";
import Database from "better-sqlite3";
import { migrate, readSchema } from "../src/store/engines/sqlite/migrations.ts";

/**
 * Opens a database for a program that the shop is compared with: the shop's very tables, indexes and cache, and each commit on disk
 * when it returns.
 * @param name the module whose tables it has
 */
export function openDatabase(name: string, folder: string): Database.Database {
  const database = new Database(join(folder, `${name}.db`));
  for (const setting of ["journal_mode = WAL", "synchronous = FULL", "cache_size = -16000"]) database.pragma(setting);
  migrate(database, readSchema(new URL(`../src/modules/${name}/migrations/`, import.meta.url)));
  return database;
}
