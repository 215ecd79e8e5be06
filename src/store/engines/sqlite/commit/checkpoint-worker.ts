import Database from "better-sqlite3";

/** How a checkpoint is made: of what nobody reads from the log alone, or of all, and the log is emptied. */
export type CheckpointMode = "PASSIVE" | "TRUNCATE";

/** What a checkpoint found and did. */
export interface Checkpoint {
  /** Whether all that is in the log is in the database too. */
  readonly isComplete: boolean;
  /** Pages in the log. */
  readonly pages: number;
  /** SQLite's code and words for why it could not be made; undefined if it was. */
  readonly fault?: { readonly code: string; readonly reason: string };
}

/** A reader in this process is done within its turn of the event loop; one elsewhere is not waited for. */
const BUSY_TIMEOUT_MS = 50;

/** Runs in a worker thread, on a connection of its own: neither its syncs nor its writes keep anybody waiting. */
export default function checkpoint({
  file,
  mode,
}: {
  readonly file: string;
  readonly mode: CheckpointMode;
}): Checkpoint {
  const database = new Database(file, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    database.pragma("synchronous = NORMAL");
    const [{ busy, log, checkpointed }] = database.pragma(`wal_checkpoint(${mode})`) as [
      { readonly busy: number; readonly log: number; readonly checkpointed: number },
    ];
    return { isComplete: busy === 0 && log === checkpointed, pages: log };
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    return { isComplete: false, pages: 0, fault: { code: error.code, reason: error.message } };
  } finally {
    database.close();
  }
}
