import { existsSync, linkSync, renameSync } from "node:fs";
import Database from "better-sqlite3";
import { reasonOf, StoreRefusal } from "../../refusal.ts";
import type { DatabaseFile } from "./snapshot.ts";

/** How long to wait for somebody who is just about to close a database. */
const LOCK_TIMEOUT_MS = 500;

const IN_USE = "is in use; stop its process first";

/**
 * Locks a database against everybody, so that its file can be replaced, and folds its write-ahead log into it. A file that
 * is not there needs no lock.
 * @returns the way to unlock it
 * @throws StoreRefusal when a process has it open, or when that cannot be known; nothing was changed then
 */
export function lockDatabase({ name, file }: DatabaseFile): () => void {
  if (!existsSync(file)) {
    requireNothingBeside(name, file);
    return () => {};
  }
  const database = new Database(file, { timeout: LOCK_TIMEOUT_MS });
  try {
    // Leaving the write-ahead log needs the database for oneself: whoever has it open, even idle, holds a shared lock.
    database.pragma("journal_mode = DELETE");
    database.exec("BEGIN EXCLUSIVE");
    // Somebody who opened it between the two has taken the log up again, beside which he could still read.
    if (database.pragma("journal_mode", { simple: true }) !== "delete") throw new StoreRefusal(IN_USE);
    return () => {
      database.close();
    };
  } catch (error) {
    database.close();
    if (!hasCode(error, /^SQLITE_(CORRUPT|NOTADB)/)) {
      const told = hasCode(error, /^SQLITE_BUSY/) ? IN_USE : reasonOf(error);
      throw new StoreRefusal(`${name}: ${file} ${told}`, { cause: error });
    }
    requireNothingBeside(name, file);
    return () => {};
  }
}

/**
 * Puts a file in the place of a database that is locked, if it is there, and keeps that under another name.
 * @param from in the same file system, as is `keptAs`
 * @throws Error of the file system
 */
export function replaceDatabase(file: string, from: string, keptAs: string): void {
  if (existsSync(file)) keep(file, keptAs);
  renameSync(from, file);
}

/** By a second name, so that at no moment there is no database: to open none would make an empty one. */
function keep(file: string, keptAs: string): void {
  try {
    linkSync(file, keptAs);
  } catch {
    renameSync(file, keptAs); // a file system without hard links
  }
}

function hasCode(error: unknown, code: RegExp): boolean {
  return error instanceof Database.SqliteError && code.test(error.code);
}

/** Who has a database open has these; a process that was killed leaves them, and they must not meet another file. */
function requireNothingBeside(name: string, file: string): void {
  for (const beside of [`${file}-wal`, `${file}-shm`, `${file}-journal`]) {
    if (!existsSync(beside)) continue;
    const advice = "stop its process, then move the damaged database away with all that is beside it";
    throw new StoreRefusal(`${name}: ${file} cannot be locked, and there is ${beside}: ${advice}`);
  }
}
