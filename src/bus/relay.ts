import type { Clock } from "../base/clock.ts";
import type { Outage } from "../base/outage.ts";
import { type Pace, repeat } from "../base/pace.ts";
import type { EventLog, LogEntry, Position } from "../store/store.ts";
import { createAttendance } from "./attendance.ts";
import type { LogReplica, ReplicaEnds, Reports } from "./log-replica.ts";
import { lowestPosition } from "./pruning.ts";

/** The most rows in one append, unless told otherwise: a script holds up everybody else in Redis. */
const APPEND_SIZE = 64;

/** The most rows in the replica ahead of what all who are there have applied: a log may be larger than Redis. */
const WINDOW_ROWS = 20_000;

/** How often the replica is looked at: after a loss it stays empty for no longer. */
const LOOK_EVERY_MS = 1_000;

/** How often while something that others do soon is waited for. */
const LOOK_AGAIN_MS = 100;

/** How long a replica that has lost all waits for the subscribers, who report once a second. */
const PATIENCE_MS = 2_500;

/** A subscriber that has not reported for so long is away: nothing is kept in the replica for it. */
const SILENT_MS = 5_000;

/** The most rows deleted from the log at one look, since appending waits. */
const PRUNE_SIZE = 5_000;

export interface RelayOptions {
  readonly log: EventLog;
  /** The one that the log is of; see `Store.database`. */
  readonly database: string;
  readonly replica: LogReplica;
  /** The names of all who subscribe, from configuration: who was never seen may still need every row of the log. */
  readonly subscribers: readonly string[];
  /** See `EventLog.prunable`. */
  readonly pruneWindowMs: number;
  /** Woken when rows were committed, by `Relay.told` or without telling which. */
  readonly pace: Pace;
  readonly clock: Clock;
  /** Told how the replica fares. */
  readonly outage: Outage;
  /** The most rows in one append. */
  readonly appendSize?: number;
  /** The most rows in the replica ahead of what all who are there have applied. */
  readonly windowRows?: number;
  /** How long to wait for the subscribers of a replica that has lost all, and after which silence one is away. */
  readonly patienceMs?: number;
  readonly silentMs?: number;
}

/** Brings a log to its replica. Several at once do no harm. */
export interface Relay {
  /** Relays until stopped. */
  run(): Promise<void>;
  /** Told of rows that were committed, which need not be read from the log then. */
  told(rows: readonly LogEntry[]): void;
  /** Whether the replica has all, as far as is known. */
  isCurrent(): Promise<boolean>;
}

/** The newest entry of the replica, and what comes next. */
interface Place {
  readonly head: Position | undefined;
  /** Whether all there is must give way first. */
  readonly rebuild: boolean;
  /** The rows that come next are those after this one, up to `until`. */
  readonly after: number;
  readonly until: number;
}

/**
 * The replica holds what subscribers that are there have not applied yet, and at most so many rows of it; the log holds the
 * rest. docs/log-protocol.md has the rules, and what goes wrong without each of them.
 */
export function createRelay(options: RelayOptions): Relay {
  const { log, database, replica, subscribers, pruneWindowMs, pace, clock, outage, appendSize = APPEND_SIZE } = options;
  const { windowRows = WINDOW_ROWS, patienceMs = PATIENCE_MS, silentMs = SILENT_MS } = options;
  // The prune window wants to be watched, also a short one.
  const lookEveryMs = Math.min(LOOK_EVERY_MS, pruneWindowMs / 8);
  const attendance = createAttendance(subscribers, clock, silentMs);
  // Who was there before may take so long to show it.
  const trimAfterMs = clock.now() + silentMs;
  // Undefined while in doubt: at the start, and when a reply is missing.
  let place: Place | undefined;
  let lookAtMs = 0;
  let lostSinceMs: number | undefined;
  // Rows that the log has told of since the last look, and whether there is nothing beside them that is not known.
  let fresh: LogEntry[] = [];
  let isAllKnown = false;

  async function step(): Promise<void> {
    if (place === undefined || clock.now() >= lookAtMs) place = await look();
    if (place === undefined) return pace.sleep(LOOK_AGAIN_MS);
    const rows = await nextRows(place.after, Math.min(appendSize, Math.max(0, place.until - place.after)));
    if (rows.length > 0 || place.rebuild) return append(place, rows);
    if (place.after >= place.until && (await newestRow()) > place.after) {
      place = undefined; // as soon as a subscriber has gone on, there is room
      return pace.sleep(LOOK_AGAIN_MS);
    }
    await pace.wait(Math.max(0, lookAtMs - clock.now()));
    isAllKnown = false; // whoever wakes may have told nothing
  }

  async function nextRows(after: number, limit: number): Promise<readonly LogEntry[]> {
    const isKnown = fresh.length === 0 ? isAllKnown : fresh[0]?.seq === after + 1;
    const rows = isKnown ? fresh.slice(0, limit) : await log.readAfter(after, limit);
    fresh = []; // of those that were told meanwhile a wake is left
    isAllKnown = rows.length < limit;
    return rows;
  }

  async function append({ head, rebuild, after, until }: Place, rows: readonly LogEntry[]): Promise<void> {
    place = undefined;
    const found = await replica.append(head, rows, rebuild);
    const last = rows.at(-1);
    if (found === undefined) place = continuingAt(last, last?.seq ?? after, until);
  }

  async function newestRow(): Promise<number> {
    return (await log.head())?.seq ?? 0;
  }

  /** An entry that is in the log can be continued; any other is of a log that was restored, or pruned long ago. */
  async function isOurs({ head }: ReplicaEnds): Promise<boolean> {
    return head !== undefined && (await log.entry(head.seq))?.epoch === head.epoch;
  }

  /** @returns undefined while it cannot be told yet from which row on the replica has to be built anew */
  async function look(): Promise<Place | undefined> {
    place = undefined;
    fresh = [];
    isAllKnown = false;
    const ends = await replica.ends();
    const reports = await replica.reports();
    attendance.note(reports.positions);
    const floor = (await log.floor()) ?? 0;
    if (reports.floor !== floor || reports.database !== database) await replica.reportOrigin(floor, database);
    const isLost = !(await isOurs(ends));
    if (isLost && (await mustWait(floor))) return undefined;
    if (!isLost) lostSinceMs = undefined;
    await prune(reports, floor);
    lookAtMs = clock.now() + lookEveryMs;
    return isLost ? buildAnew(ends, reports) : goOn(ends, floor);
  }

  /** Those who are there are asked where they stand, and answer soon; of a log that fits into one append it makes no difference. */
  async function mustWait(floor: number): Promise<boolean> {
    lostSinceMs ??= clock.now();
    const isShort = (await newestRow()) - floor < appendSize;
    return !isShort && !attendance.isComplete() && clock.now() - lostSinceMs < patienceMs;
  }

  async function buildAnew({ head }: ReplicaEnds, { positions }: Reports): Promise<Place> {
    const present = attendance.present();
    const known = subscribers.map((name) => positions.get(name));
    // Where nobody answers nobody needs anything now; what there is room for may spare whoever comes a wait.
    const from =
      subscribers.length === 0 || present.length > 0
        ? await lowestPosition(log, present)
        : Math.max(await lowestPosition(log, known), (await newestRow()) - windowRows);
    return startingAt(from, head);
  }

  async function goOn({ head, first }: ReplicaEnds, floor: number): Promise<Place> {
    const present = attendance.present();
    const seq = head?.seq ?? 0;
    const oldest = first ?? 0;
    if (present.length === 0 && subscribers.length > 0) {
      return continuingAt(head, seq, oldest + windowRows);
    }
    const lowest = await lowestPosition(log, present);
    // Somebody needs rows again that are gone here.
    if (oldest > lowest && floor < oldest) return startingAt(lowest, head);
    // What is not trimmed yet takes room as well.
    if (clock.now() < trimAfterMs) return continuingAt(head, seq, Math.min(oldest, lowest) + windowRows);
    // It keeps the lowest itself. Where all are further than its newest entry nothing is left, and it is built anew from there.
    if (oldest < lowest && head !== undefined) await replica.trim(head, lowest);
    return continuingAt(head, seq, lowest + windowRows);
  }

  /** What is there stays, and the rows after this one come next. */
  function continuingAt(head: Position | undefined, after: number, until: number): Place {
    return { head, rebuild: false, after, until };
  }

  /** All there is gives way to the rows from this one on. */
  function startingAt(from: number, head: Position | undefined): Place {
    return { head, rebuild: head !== undefined, after: Math.max(0, from - 1), until: from + windowRows };
  }

  async function prune({ positions }: Reports, floor: number): Promise<void> {
    const lowest = await lowestPosition(
      log,
      subscribers.map((name) => positions.get(name)),
    );
    const below = Math.min(await log.prunable(lowest, pruneWindowMs), floor + PRUNE_SIZE);
    // A store that cannot write now must not keep the relay from what it can do: it is tried again at the next look.
    if (below > floor) await log.prune(below).catch(() => undefined);
  }

  return {
    run: () => repeat(step, { pace, onFailure: outage.failed, onSuccess: outage.worked }),
    told(rows) {
      const isNext = fresh.length === 0 || fresh.at(-1)?.seq === (rows[0]?.seq ?? 0) - 1;
      if (place === undefined || !isNext) isAllKnown = false;
      fresh = place !== undefined && isNext ? [...fresh, ...rows] : [];
      pace.wake();
    },
    async isCurrent() {
      const head = await log.head();
      return (
        place !== undefined && !place.rebuild && place.head?.seq === head?.seq && place.head?.epoch === head?.epoch
      );
    },
  };
}
