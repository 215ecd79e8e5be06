import { closeSync, fdatasync, openSync } from "node:fs";

/** Brings what was written to a file to the disk, and tells when it is there, or why it may not be. */
export type SyncFile = (descriptor: number, told: (error: Error | null) => void) => void;

/**
 * The file that commits are written to, which has to reach the disk before anybody is told of them. SQLite itself syncs it with
 * `synchronous = NORMAL` only when it begins anew and before a checkpoint.
 */
export class WriteAheadLog {
  readonly #file: string | undefined;
  readonly #syncFile: SyncFile;
  #descriptor: number | undefined;

  /**
   * @param database the database's file; undefined for one in memory, which has no log
   * @param syncFile by default in libuv's pool: the event loop goes on meanwhile
   */
  constructor(database: string | undefined, syncFile: SyncFile = fdatasync) {
    this.#file = database === undefined ? undefined : `${database}-wal`;
    this.#syncFile = syncFile;
  }

  /**
   * Syncs what was written.
   * @param told called once it is on disk, or with why it may not be; at once where there is no file
   */
  sync(told: (error: unknown) => void): void {
    if (this.#file === undefined) {
      told(undefined);
      return;
    }
    try {
      // It is there from the first commit on. Closing it does no harm: SQLite's locks are on other files.
      this.#descriptor ??= openSync(this.#file, "r");
    } catch (error) {
      told(error);
      return;
    }
    this.#syncFile(this.#descriptor, (error) => told(error ?? undefined));
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
