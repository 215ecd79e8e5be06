import { mkdirSync, readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { databaseIn } from "../../src/runtime/database-files.ts";
import { MODULES } from "./databases.ts";

/**
 * As the commit 31df107 left them: customers, sessions, orders in each state, kept answers, an event that was being tried when its
 * process was killed, others that were given up. Where it wrote no row of a table, one was added.
 */
const OLDER = new URL("../fixtures/databases-of-31df107/", import.meta.url);

/** Writes the databases of an older version to a new folder. Their answers were kept just now. */
export function writeOlderDatabases(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of MODULES) {
    const database = new Database(databaseIn(folder, name));
    database.exec(readFileSync(new URL(`${name}.sql`, OLDER), "utf8"));
    database.prepare("UPDATE answers SET kept_at_ms = ?").run(Date.now()); // they are kept for a day
    database.close();
  }
}
