import type { Pace } from "../../base/pace.ts";
import type { EventLog, LogEntry, Position } from "../../store/store.ts";
import type { LogSource } from "../log-source.ts";

/** The most rows kept in memory for a subscriber that lags; it reads what is beyond from the log. */
const MAX_WAITING = 1_024;

/** How long a read waits for rows. */
const READ_WAIT_MS = 1_000;

/** A log of this process, as one subscriber sees it. */
export interface LocalLog extends LogSource {
  /** Hands over rows that were just committed; cheap, since the publisher waits. */
  push(entries: readonly LogEntry[]): void;
}

export interface LocalLogOptions {
  readonly log: EventLog;
  /** The one that the log is of. */
  readonly database: string;
  /** The subscriber's loop. */
  readonly pace: Pace;
  readonly onReport: (subscriber: string, position: Position) => void;
}

export function createLocalLog({ log, database, pace, onReport }: LocalLogOptions): LocalLog {
  // Rows without a gap, or none.
  let waiting: LogEntry[] = [];
  // The newest row, as far as it is known that there is no newer one but those that wait.
  let newest: number | undefined;

  async function next(seq: number, limit: number): Promise<readonly LogEntry[]> {
    // What was read from the log may be pushed as well, before it was answered or after.
    while (waiting[0] !== undefined && waiting[0].seq <= seq) waiting.shift();
    if (waiting[0]?.seq === seq + 1) {
      const entries = waiting.splice(0, limit);
      newest = entries.at(-1)?.seq;
      return entries;
    }
    waiting = [];
    newest = undefined;
    return log.readAfter(seq, limit);
  }

  return {
    push(entries) {
      if (waiting.length + entries.length > MAX_WAITING) {
        waiting = [];
        newest = undefined;
      } else waiting.push(...entries);
      pace.wake();
    },
    async read(seq, limit) {
      if (newest !== seq || waiting.length > 0) {
        const entries = await next(seq, limit);
        if (entries.length > 0) return entries;
      }
      await pace.wait(READ_WAIT_MS);
      return next(seq, limit);
    },
    head: () => log.head(),
    floor: () => log.floor(),
    database: async () => database,
    report: async (subscriber, position) => onReport(subscriber, position),
    discard: async () => {
      waiting = [];
      newest = undefined;
    },
  };
}
