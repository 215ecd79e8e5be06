import Database from "better-sqlite3";
import { Problem } from "../../../base/problem.ts";
import { mayHaveHappened, storageFull } from "../../environment-fault.ts";

/** Result codes of SQLite (https://sqlite.org/rescode.html) that no change to the work would cure. */
const FAULT =
  /^SQLITE_(FULL|IOERR|BUSY|LOCKED|CANTOPEN|READONLY|NOMEM|CORRUPT|NOTADB|PROTOCOL|PERM|NOLFS|INTERRUPT)(_|$)/;

/** Newer code has changed the schema since this process opened the database: its own code is what is wrong now. */
const CHANGED_SCHEMA = /^no such (table|column): |^table \S+ has (no column named|\d+ columns but) /;

/** No space: also when the shared memory of the write-ahead log cannot grow, which SQLite calls an I/O error. */
const NO_SPACE = /^SQLITE_(FULL|IOERR_SHMSIZE)$/;

/** A sync has failed, of a file or of its folder, in the words of SQLite or of the system. */
const FAILED_SYNC = /^(SQLITE_IOERR_(DIR_)?FSYNC|EIO)$/;

/** True for an error that tells, by its code, of a sync that failed. */
export function isFailedSync(error: unknown): boolean {
  return error instanceof Object && "code" in error && FAILED_SYNC.test(String(error.code));
}

/** True for an error that SQLite itself raised for a fault of the environment. */
export function isDatabaseFault(error: unknown): boolean {
  if (!(error instanceof Database.SqliteError)) return false;
  return FAULT.test(error.code) || (error.code === "SQLITE_ERROR" && CHANGED_SCHEMA.test(error.message));
}

/** The problem that callers see when a whole group of writes failed. */
export function problemOfFault(error: unknown): Problem {
  const isFull = error instanceof Database.SqliteError && NO_SPACE.test(error.code);
  return isFull ? storageFull(error) : mayHaveHappened(error);
}

/** The problem that callers see once a sync has failed: nothing is read or written any more. */
export function problemOfDistrust(reason: string): Problem {
  return new Problem("dependency-unavailable", "The store's disk has failed; its process starts anew.", {
    retryAfterSeconds: 1,
    cause: new Error(reason),
  });
}
