import type { LogEntry, Position } from "../store/store.ts";

/** The newest and the oldest entry of a replica, undefined while it has none. */
export interface ReplicaEnds {
  readonly head: Position | undefined;
  readonly first: number | undefined;
}

/** Where a subscriber stands, and a text that is another in each report that it makes. */
export interface Report extends Position {
  readonly beat: string;
}

/** The oldest row that a log still has, and the database that it is of; see `Store.database`. */
export interface Origin {
  readonly floor: number | undefined;
  readonly database: string | undefined;
}

/** What a replica was told: where each subscriber stands, and what the log is. */
export interface Reports extends Origin {
  readonly positions: ReadonlyMap<string, Report>;
}

/**
 * One publisher's log as others see it: a replica that may lose everything, go back to an older state, answer late,
 * or do what it was asked after the asker gave up. What changes its rows says which newest entry it expects.
 */
export interface LogReplica {
  ends(): Promise<ReplicaEnds>;
  /**
   * Appends rows if the newest entry is the expected one. A replica without entries is deleted first, since it may
   * refuse numbers below those it had.
   * @param expected undefined when there should be none
   * @param rebuild deletes what is there first
   * @returns undefined when it was done, else the ends that were found
   */
  append(expected: Position | undefined, rows: readonly LogEntry[], rebuild: boolean): Promise<ReplicaEnds | undefined>;
  /** Deletes entries below `seq` if the newest entry is the expected one. */
  trim(expected: Position, seq: number): Promise<void>;
  reports(): Promise<Reports>;
  reportOrigin(floor: number, database: string): Promise<void>;
}
