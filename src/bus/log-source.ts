import type { LogEntry, Position } from "../store/store.ts";

/** One publisher's log as a subscriber sees it: the log itself, or a replica that may lag, lose or come back older. */
export interface LogSource {
  /** At most `limit` rows after `seq`, oldest first; waits a while when there are none, then answers none. */
  read(seq: number, limit: number): Promise<readonly LogEntry[]>;
  /** The newest row's position, undefined when there is none. */
  head(): Promise<Position | undefined>;
  /** The number of the oldest row that the publisher still has, undefined when it is not known. */
  floor(): Promise<number | undefined>;
  /** The database that the log is of, see `Store.database`; undefined when it is not known. */
  database(): Promise<string | undefined>;
  /** Tells the publisher up to which row a subscriber has applied all; seq 0 when none. */
  report(subscriber: string, position: Position): Promise<void>;
  /** Throws away what can be had again from the log: it lacks a row in its midst, or holds what is none. */
  discard(): Promise<void>;
}
