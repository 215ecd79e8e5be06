import type { Distribution } from "../base/distribution.ts";
import type { Claim } from "../contract/claim.ts";
import type { CloudEvent } from "../contract/event.ts";
import type { Reading, Unit, Work } from "./unit.ts";

/**
 * A module's private database, as the module sees it. Its `store.ts` holds all the SQL and offers few,
 * coarse, atomic methods to the handlers, so that another engine can stand behind the same interface.
 */
export interface Store {
  /** The module's name: the file is `<name>.db`. */
  readonly name: string;
  /** Names the file on its machine: every opening of it has this name, a copy has another. */
  readonly seat: string;
  /** Names the database among all that there are of its module; backups and copies have the same. */
  readonly database: string;
  /**
   * Looks at the data as committed; all that one work reads is of one moment.
   * @throws whatever `work` throws; Error when it writes
   */
  read<T>(work: (reading: Reading) => Work<T>): Promise<T>;
  /**
   * Queues a unit of work. What waits commits in one transaction with one sync, a savepoint for each, so
   * that a failure is its own; the promise settles after the commit: what it resolves is on disk.
   *
   * @param work its rows, events, cursor and idempotent answer commit together or not at all
   * @throws whatever `work` threw; Problem storage-full when the disk is; Problem dependency-unavailable for
   *   any other fault of the environment, which may have committed
   */
  write<T>(work: (unit: Unit) => Work<T>): Promise<T>;
  /** The log of the module's own events. */
  readonly log: EventLog;
  /** Where this module stands in the logs of others, and what it could not apply. */
  readonly cursors: Cursors;
  /** Answers that are kept for retries. */
  readonly answers: Answers;
  /**
   * Does work that one process at a time does, such as relaying the log: begins when nobody else does what has this name, and ends
   * when the work does. SQLite: at once, since one process serves the file; within it one comes after the other.
   * @param work told by the signal that another may do it from now on: when the store closes, or the file is served by another
   * @throws whatever `work` throws; Problem draining when it cannot begin any more
   */
  lease(role: string, work: (lost: AbortSignal) => Promise<void>): Promise<void>;
  /** How soon to look again for what other processes that serve this store may have changed, in milliseconds; undefined where there are none. */
  readonly lookAgainMs: number | undefined;
  /** From now on the bytes of what is deleted are overwritten. */
  overwriteDeleted(): void;
  /**
   * Empties the write-ahead log into the database, so that what was deleted is in neither. A reader in another process, such as a backup, may prevent it.
   * Resolves whether it is empty, as that of a closed store is.
   */
  emptyLog(): Promise<boolean>;
  /** Empties the write-ahead log if a reader has let it grow: the next write would cut it, but none may come. */
  boundLog(): Promise<void>;
  /**
   * Takes away all space that it could still grow into, so that its engine itself finds no more. What fits into what it has is still written.
   * @returns the way to give it back
   */
  readonly fillUp: (() => () => void) | undefined;
  /** Undefined while writes succeed; else why the last one failed for a fault of the environment. */
  fault(): string | undefined;
  /** What it has done since it was opened and has to do, for whoever watches it. */
  stats(): StoreStats;
  /** Commits what waits, then closes. Later writes are refused. */
  close(): Promise<void>;
  /**
   * Closes as a crash would, as far as that can be inside of a process that goes on. SQLite: what waits is not written, what is on its way
   * to the disk may be, whoever waits for either is told so, and the write-ahead log stays as it is for whoever opens the file next.
   * PostgreSQL: as `close`, for what was sent is the server's.
   */
  crash(): Promise<void>;
}

export interface StoreStats {
  /** Units of work that wait for their commit. */
  readonly queued: number;
  /** Units of work per commit. */
  readonly commitSizes: Distribution;
  /** What each commit took, from BEGIN to the end of the sync. */
  readonly commitSeconds: Distribution;
}

/** One row of a log: `seq` is dense, 1, 2, 3…; `epoch` names the opening of the database that wrote it. */
export interface LogEntry {
  readonly seq: number;
  readonly epoch: string;
  /** The epoch of the row before, "" for row 1: with `seq` it says what this row connects to. */
  readonly previousEpoch: string;
  /** The CloudEvent as JSON text. */
  readonly event: string;
}

/** A place in a log: the row that was seen last. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** Each look is at what is committed at its moment: between two of them rows may come, and old ones go. */
export interface EventLog {
  /** The newest row's position, undefined while the log is empty. */
  head(): Promise<Position | undefined>;
  /** The oldest row's number that is still there, undefined while the log is empty. */
  floor(): Promise<number | undefined>;
  /** At most `limit` rows after `seq`, oldest first. */
  readAfter(seq: number, limit: number): Promise<LogEntry[]>;
  /** The row with this number, if it is there. */
  entry(seq: number): Promise<LogEntry | undefined>;
  /**
   * Takes the lowest position of all subscribers at this moment, and remembers the lowest of them over a window of time.
   * It must be at least three times the age of the oldest backup that one would restore: a subscriber restored from it
   * needs the rows since then again.
   * Resolves below which row the log may be pruned, 0 for none.
   */
  prunable(lowest: number, windowMs: number): Promise<number>;
  /** Deletes rows below `seq`, never the newest. */
  prune(seq: number): Promise<void>;
  /** Calls back after each commit that appended, with the new rows in order. Returns the way to stop it. */
  onAppended(listener: (entries: readonly LogEntry[]) => void): () => void;
}

export interface DeadLetter {
  /** A UUIDv7: the order of ids is that in which they were buried. */
  readonly id: string;
  readonly publisher: string;
  readonly position: Position;
  readonly event: CloudEvent;
  readonly error: string;
  readonly attempts: number;
  readonly failedAt: string;
}

/** Where this module stands in the logs of others. What is given a unit is a part of that unit's work. */
export interface Cursors {
  /** The last row applied of this publisher's log in this epoch, 0 if none. */
  position(reading: Reading, publisher: string, epoch: string): Work<number>;
  /** The positions in all epochs of this publisher's log, the one that moved last first. */
  positions(reading: Reading, publisher: string): Work<Position[]>;
  /**
   * Belongs at the beginning of a unit of work that applies rows: nobody else applies this publisher's before it ends. Two processes of
   * one subscriber may overlap for a moment.
   */
  take(unit: Unit, publisher: string): Work<void>;
  /**
   * Moves a cursor forward, in the unit of work that applied the row.
   * @throws Error when it stands there or beyond already: another process has applied the row
   */
  move(unit: Unit, publisher: string, position: Position): Work<void>;
  /** Takes this database for the publisher's, unless another was before. Resolves which one that is. */
  knowPublisher(publisher: string, database: string): Promise<string>;
  /** Counts a try of one row, in a commit of its own, before the try: poison may kill the process. Resolves the count. */
  countAttempt(publisher: string, position: Position): Promise<number>;
  /** Writes a dead letter, in the unit of work that moves the cursor beyond it. */
  bury(unit: Unit, letter: Omit<DeadLetter, "id" | "failedAt">): Work<void>;
  /** Dead letters, newest first: at most `limit` of those before the one with the id `before`. */
  deadLetters(before?: string, limit?: number): Promise<DeadLetter[]>;
  deadLetter(id: string): Promise<DeadLetter | undefined>;
  countDeadLetters(): Promise<number>;
  /**
   * Takes a dead letter out, in the unit of work that applies its event again, or gives it up. Answers undefined
   * when there is none with this id.
   */
  unbury(unit: Unit, id: string): Work<DeadLetter | undefined>;
  /** Notes that a dead letter, if it is still there, failed once more, and why. */
  failAgain(unit: Unit, id: string, error: string): Work<void>;
}

export interface Answers {
  /**
   * Runs an operation at most once per key: a kept answer is returned with `replayed: true`.
   * The work must give the claim to `unit.keepAnswer` in the unit of work that makes the change.
   *
   * @param claim undefined when the caller gave no key: the work just runs
   * @param askedAt when the request came in, in milliseconds of `performance.now()`, by default now: before its key was refused it is an
   *   earlier attempt, however late it gets here
   * @throws Problem request-in-progress while the first still runs in this process, and for one that was asked before the last
   *   refusal; idempotency-key-reused when the key came with another request; whatever the work threw, unless another process was
   *   first, whose answer is returned. Then the key is free for those who ask later, and taken for those who were asked before
   */
  once<T extends object>(
    claim: Claim | undefined,
    work: () => Promise<T>,
    askedAt?: number,
  ): Promise<T & { replayed?: true }>;
  /** Forgets answers older than a day. Resolves how many. */
  expire(): Promise<number>;
}
