import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { makeFolder } from "./make-folder.ts";
import { keepPrivate } from "./private-file.ts";
import type { DatabaseFile } from "./snapshot.ts";
import { reasonOf, StoreRefusal } from "./store-refusal.ts";

/** How long to wait for a process that is about to end, as in a rolling restart. */
const WAIT_MS = 5_000;
const TRY_EVERY_MS = 50;

/**
 * Sees to it that one process at a time serves a database. Node cannot lock a file, SQLite can: what is locked is an empty
 * database beside it, so that others may still read and copy it. The system frees it when the process ends, however it ends.
 * @param onWait told when another process has it
 * @returns the way to free it
 * @throws StoreRefusal when another process still serves it after five seconds, or the lock itself cannot be used
 */
export async function lockForServing({ name, file }: DatabaseFile, onWait: () => void): Promise<() => void> {
  const endMs = performance.now() + WAIT_MS;
  const lockFile = lockFileOf(file);
  for (let tries = 0; ; tries += 1) {
    const lock = tryLock(name, lockFile);
    if (lock !== "busy") return lock;
    if (tries === 0) onWait();
    if (performance.now() >= endMs) {
      throw new StoreRefusal(
        `${name}: ${file} is served by another process, which has not ended within ${WAIT_MS / 1_000} seconds. Stop it first, or give this one another --data-dir.`,
      );
    }
    await sleep(TRY_EVERY_MS);
  }
}

/** Beside the database itself: who comes by a link finds the same lock. */
function lockFileOf(file: string): string {
  const real = existsSync(file) ? realpathSync(file) : file;
  return join(dirname(real), `.${basename(real)}-lock`);
}

function tryLock(name: string, lockFile: string): "busy" | (() => void) {
  let lock: Database.Database | undefined;
  try {
    makeFolder(dirname(lockFile));
    keepPrivate(lockFile);
    lock = new Database(lockFile, { timeout: 0 });
    lock.pragma("journal_mode = MEMORY"); // no file for what is never written
    lock.exec("BEGIN EXCLUSIVE");
    return () => lock?.close();
  } catch (error) {
    lock?.close();
    const code = error instanceof Database.SqliteError ? error.code : "";
    if (code.startsWith("SQLITE_BUSY")) return "busy";
    // A folder that cannot be used is told of by whoever opens the database in it.
    if (!existsSync(lockFile)) return () => {};
    throw new StoreRefusal(`${name}: ${lockFile} cannot be locked: ${reasonOf(error)}`, { cause: error });
  }
}
