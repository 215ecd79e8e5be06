import { closeSync, fdatasync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

/** Brings what was written to a file to the disk, and tells when it is there, or why it may not be. */
export type SyncFile = (descriptor: number, told: (error: Error | null) => void) => void;

/** How much of a log is written again at once. */
const CHUNK_BYTES = 1024 * 1024;

/** Writes what is in a file once more where it is, and syncs it. The kernel has no page then that it takes for written and is not. */
export function writeAgain(path: string): void {
  const file = openSync(path, "r+");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  try {
    for (let at = 0; ; ) {
      const length = readSync(file, chunk, 0, CHUNK_BYTES, at);
      if (length === 0) break;
      at += writeSync(file, chunk, 0, length, at);
    }
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * The file that commits are written to, which has to reach the disk before anybody is told of them. SQLite itself syncs it with
 * `synchronous = NORMAL` only when it begins anew and before a checkpoint.
 */
export class WriteAheadLog {
  readonly #syncFile: SyncFile;
  #descriptor: number | undefined;

  /**
   * @param database the file of an open database; undefined for one in memory, which has no log
   * @param syncFile by default in libuv's pool: the event loop goes on meanwhile
   */
  constructor(database: string | undefined, syncFile: SyncFile = fdatasync) {
    // Now, and not at the first sync: a process that has run out of descriptors by then could not sync what it has committed.
    // Closing it does no harm: SQLite's locks are on other files.
    this.#descriptor = database === undefined ? undefined : openSync(`${database}-wal`, "r");
    this.#syncFile = syncFile;
  }

  /** How large the file is. */
  bytes(): number {
    return this.#descriptor === undefined ? 0 : fstatSync(this.#descriptor).size;
  }

  /**
   * Syncs what was written.
   * @param told called once it is on disk, or with why it may not be; at once where there is no file
   */
  sync(told: (error: unknown) => void): void {
    if (this.#descriptor === undefined) told(undefined);
    else this.#syncFile(this.#descriptor, (error) => told(error ?? undefined));
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
