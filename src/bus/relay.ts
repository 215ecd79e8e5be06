import type { EventLog, LogEntry, Position } from "../store/store.ts";
import type { Clock } from "./clock.ts";
import type { LogReplica, ReplicaEnds } from "./log-replica.ts";
import type { Outage } from "./outage.ts";
import { type Pace, repeat } from "./pace.ts";
import { lowestPosition } from "./pruning.ts";

/** The most rows in one append, unless told otherwise: a script holds up everybody else in Redis. */
const APPEND_SIZE = 64;

/** How often the replica is looked at: after a loss it stays empty for no longer. */
const LOOK_EVERY_MS = 1_000;

/** The most rows deleted from the log at one look, since appending waits. */
const PRUNE_SIZE = 5_000;

export interface RelayOptions {
  readonly log: EventLog;
  readonly replica: LogReplica;
  /** The names of all who subscribe, from configuration: who was never seen may still need every row. */
  readonly subscribers: readonly string[];
  /** See `EventLog.prunable`. */
  readonly pruneWindowMs: number;
  /** Woken when rows were committed. */
  readonly pace: Pace;
  readonly clock: Clock;
  /** Told how the replica fares. */
  readonly outage: Outage;
  /** The most rows in one append. */
  readonly appendSize?: number;
}

/** Brings a log to its replica. Several at once do no harm. */
export interface Relay {
  /** Relays until stopped. */
  run(): Promise<void>;
  /** True when the replica has all, as far as is known. */
  isCurrent(): boolean;
}

/** The newest entry of the replica, and whether all there is must give way to the log from its floor on. */
interface Place {
  readonly head: Position | undefined;
  readonly rebuild: boolean;
}

export function createRelay(options: RelayOptions): Relay {
  const { log, replica, subscribers, pruneWindowMs, pace, clock, outage, appendSize = APPEND_SIZE } = options;
  // The prune window wants to be watched, also a short one.
  const lookEveryMs = Math.min(LOOK_EVERY_MS, pruneWindowMs / 8);
  // Undefined while in doubt: at the start, and when a reply is missing.
  let place: Place | undefined;
  let lookAtMs = 0;

  /** An entry that is in the log can be continued; any other is of a log that was restored, or pruned long ago. */
  function locate({ head }: ReplicaEnds): Place {
    return { head, rebuild: head !== undefined && log.entry(head.seq)?.epoch !== head.epoch };
  }

  async function step(): Promise<void> {
    if (place === undefined || clock.now() >= lookAtMs) place = await look();
    const { head, rebuild } = place;
    const rows = log.readAfter(rebuild ? 0 : (head?.seq ?? 0), appendSize);
    if (rows.length > 0 || rebuild) await append(place, rows);
    else await pace.wait(Math.max(0, lookAtMs - clock.now()));
  }

  async function append({ head, rebuild }: Place, rows: readonly LogEntry[]): Promise<void> {
    place = undefined;
    const found = await replica.append(head, rows, rebuild);
    place = found === undefined ? { head: rows.at(-1), rebuild: false } : locate(found);
  }

  async function look(): Promise<Place> {
    place = undefined;
    const ends = await replica.ends();
    const found = locate(ends);
    if (!found.rebuild) {
      const { positions, floor: toldFloor } = await replica.reports();
      const floor = log.floor() ?? 0;
      const reported = subscribers.map((name) => positions.get(name));
      const lowest = lowestPosition(log, reported);
      if (lacksRows(ends, lowest, floor)) return { ...found, rebuild: true };
      if (toldFloor !== floor) await replica.reportFloor(floor);
      await trim(ends, lowest);
      await prune(lowest, floor);
    }
    lookAtMs = clock.now() + lookEveryMs;
    return found;
  }

  /** True when a subscriber may need rows that the log has and the replica has no more, or not again. */
  function lacksRows({ first }: ReplicaEnds, lowest: number, floor: number): boolean {
    return first !== undefined && first > lowest && floor < first;
  }

  /** Keeps the lowest entry itself; never when the replica lags behind it, since then nothing would be left. */
  async function trim({ head, first }: ReplicaEnds, lowest: number): Promise<void> {
    if (head !== undefined && first !== undefined && first < lowest && lowest <= head.seq) {
      await replica.trim(head, lowest);
    }
  }

  async function prune(lowest: number, floor: number): Promise<void> {
    const below = Math.min(log.prunable(lowest, pruneWindowMs), floor + PRUNE_SIZE);
    // A store that cannot write now must not keep the relay from what it can do: it is tried again at the next look.
    if (below > floor) await log.prune(below).catch(() => undefined);
  }

  return {
    run: () => repeat(step, { pace, onFailure: outage.failed, onSuccess: outage.worked }),
    isCurrent() {
      const head = log.head();
      return (
        place !== undefined && !place.rebuild && place.head?.seq === head?.seq && place.head?.epoch === head?.epoch
      );
    },
  };
}
