import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { makeFolder } from "../../make-folder.ts";
import { keepPrivate } from "../../private-file.ts";
import { reasonOf, StoreRefusal } from "../../refusal.ts";
import { besideDatabase } from "./beside.ts";
import type { DatabaseFile } from "./snapshot.ts";

/** How long to wait for a process that is about to end, as in a rolling restart. */
const WAIT_MS = 5_000;
const TRY_EVERY_MS = 50;

/** How often it is looked whether the lock's file is still there. */
const LOOK_EVERY_MS = 250;

export interface LockListener {
  /** Another process has it. */
  onWait(): void;
  /** The lock's file has been removed, and another process has taken the lock since. */
  onLost(): void;
}

interface Lock {
  free(): void;
}

/**
 * Sees to it that one process at a time serves a database. Node cannot lock a file, SQLite can: what is locked is an empty
 * database beside it, so that others may still read and copy it. The system frees it when the process ends, however it ends.
 * Should its file be removed, it is locked anew.
 * @returns the way to free it
 * @throws StoreRefusal when another process still serves it after five seconds, or the lock itself cannot be used
 */
export async function lockForServing(
  { name, file }: DatabaseFile,
  { onWait, onLost }: LockListener,
): Promise<() => void> {
  const endMs = performance.now() + WAIT_MS;
  const lockFile = lockFileOf(file);
  for (let tries = 0; ; tries += 1) {
    const lock = tryLock(name, lockFile);
    if (lock !== "busy") return keepLocked(name, lockFile, lock, onLost);
    if (tries === 0) onWait();
    if (performance.now() >= endMs) {
      throw new StoreRefusal(
        `${name}: ${file} is served by another process${holderOf(lockFile)}, which has not ended within ${WAIT_MS / 1_000} seconds. Stop it first, or give this one another --data-dir.`,
      );
    }
    await sleep(TRY_EVERY_MS);
  }
}

/**
 * The same without waiting.
 * @returns undefined while another process serves it
 * @throws StoreRefusal when the lock itself cannot be used
 */
export function tryLockForServing({ name, file }: DatabaseFile, onLost: () => void): (() => void) | undefined {
  const lockFile = lockFileOf(file);
  const lock = tryLock(name, lockFile);
  return lock === "busy" ? undefined : keepLocked(name, lockFile, lock, onLost);
}

const lockFileOf = (file: string): string => besideDatabase(file, "lock");

function tryLock(name: string, lockFile: string): "busy" | Lock {
  let lock: Database.Database | undefined;
  try {
    makeFolder(dirname(lockFile));
    keepPrivate(lockFile);
    lock = new Database(lockFile, { timeout: 0 });
    lock.pragma("journal_mode = MEMORY"); // no file for what is never written
    lock.exec("BEGIN EXCLUSIVE");
    signHolder(lockFile);
    return {
      free() {
        rmSync(holderFileOf(lockFile), { force: true });
        lock?.close();
      },
    };
  } catch (error) {
    lock?.close();
    const code = error instanceof Database.SqliteError ? error.code : "";
    if (code.startsWith("SQLITE_BUSY")) return "busy";
    // A folder that cannot be used is told of by whoever opens the database in it.
    if (!existsSync(lockFile)) return { free: () => {} };
    throw new StoreRefusal(`${name}: ${lockFile} cannot be locked: ${reasonOf(error)}`, { cause: error });
  }
}

/** Somebody may take the file for a left-over and remove it: nobody else would know of the lock then. */
function keepLocked(name: string, lockFile: string, first: Lock, onLost: () => void): () => void {
  let lock = first;
  let number = numberOf(lockFile);
  const lockAnew = () => {
    const again = tryLock(name, lockFile);
    // What was held before is not freed: that would take back the word of who holds the new one.
    if (again === "busy") {
      clearInterval(timer);
      lock = { free: () => {} };
      onLost();
      return;
    }
    lock = again;
    number = numberOf(lockFile);
  };
  const timer = setInterval(() => {
    if (numberOf(lockFile) === number || !existsSync(dirname(lockFile))) return;
    try {
      lockAnew();
    } catch {
      // The disk may be full: it is tried again.
    }
  }, LOOK_EVERY_MS).unref();
  return () => {
    clearInterval(timer);
    lock.free();
  };
}

/** Tells a file from another that has taken its name. */
function numberOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

const holderFileOf = (lockFile: string): string => `${lockFile}-holder`;

/** Says who holds the lock, for whoever waits for it; what is locked cannot be read. */
function signHolder(lockFile: string): void {
  try {
    keepPrivate(holderFileOf(lockFile));
    writeFileSync(holderFileOf(lockFile), `pid ${process.pid} on ${hostname()}`);
  } catch {
    // Without it the other is not named.
  }
}

function holderOf(lockFile: string): string {
  try {
    const [holder] = /^pid \d+ on \S+$/.exec(readFileSync(holderFileOf(lockFile), "utf8")) ?? [];
    return holder === undefined ? "" : ` (${holder})`;
  } catch {
    return "";
  }
}
