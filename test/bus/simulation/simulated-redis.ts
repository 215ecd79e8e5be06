import type { LogReplica, ReplicaEnds, Report } from "../../../src/bus/log-replica.ts";
import type { LogSource } from "../../../src/bus/log-source.ts";
import type { LogEntry, Position } from "../../../src/store/store.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

const COMMAND_TIMEOUT_MS = 1_000;
const READ_BLOCK_MS = 1_000;

/** After so long nothing runs any more that was asked for. */
export const LATEST_MS = COMMAND_TIMEOUT_MS + 4_000;

interface Stream {
  entries: LogEntry[];
  /** Survives the deletion of entries, as in Redis: lower numbers are refused. */
  lastSeq: number;
  reports: Map<string, Report>;
  floor: number | undefined;
  database: string | undefined;
}

/** How a process reaches Redis: what it asks may be lost, its answer too, or run when nobody waits any more. */
export type Ask = <T>(run: () => T) => Promise<T>;

/** What Redis holds, and what happens to it. Its operations are those of the scripts, each at once. */
export interface SimulatedRedis {
  /** The share of calls that go wrong. */
  unreliability: number;
  away: boolean;
  describe(): string;
  flush(): void;
  /** Deletes every entry, but not the streams. */
  empty(): void;
  snapshot(): void;
  /** Back to some snapshot, or to nothing. */
  restore(): void;
  /** Somebody else writes to a stream: it gets a gap, an entry that is none, or has had a higher id. */
  damage(): void;
  /** How many rows were appended so far. */
  readonly appended: number;
  /** How many entries its streams have. */
  readonly size: number;
  /** The most entries that a stream has had so far. */
  readonly largest: number;
  /** Whether it was ever restored. */
  readonly wentBack: boolean;
  /** @param after what a process that may die waits with */
  replica(publisher: string, after: Scheduler["after"]): LogReplica;
  source(publisher: string, after: Scheduler["after"]): LogSource;
}

export function createSimulatedRedis(scheduler: Scheduler, random: Random): SimulatedRedis {
  let streams = new Map<string, Stream>();
  const snapshots: Map<string, Stream>[] = [];
  let beats = 0;
  let largest = 0;
  let wentBack = false;
  let appended = 0;
  const blocked = new Set<{ publisher: string; seq: number; wake: () => void }>();

  function open(publisher: string): Stream {
    const stream = streams.get(publisher) ?? {
      entries: [],
      lastSeq: 0,
      reports: new Map(),
      floor: undefined,
      database: undefined,
    };
    streams.set(publisher, stream);
    return stream;
  }

  function ends({ entries }: Stream): ReplicaEnds {
    const newest = entries.at(-1);
    return { head: newest && { epoch: newest.epoch, seq: newest.seq }, first: entries[0]?.seq };
  }

  const isHead = (stream: Stream, expected: Position | undefined) =>
    JSON.stringify(ends(stream).head) === JSON.stringify(expected && { epoch: expected.epoch, seq: expected.seq });

  const clear = (stream: Stream) => void Object.assign(stream, { entries: [], lastSeq: 0 });

  function add(stream: Stream, row: LogEntry): void {
    if (row.seq <= stream.lastSeq) {
      clear(stream);
      throw new Error(`the id ${row.seq} was not above the last, so that all gave way`);
    }
    stream.entries.push(row);
    stream.lastSeq = row.seq;
  }

  function append(publisher: string, expected: Position | undefined, rows: readonly LogEntry[], rebuild: boolean) {
    const stream = open(publisher);
    if (!isHead(stream, expected)) return ends(stream);
    if (rebuild || stream.entries.length === 0) clear(stream);
    for (const row of rows) add(stream, row);
    appended += rows.length;
    largest = Math.max(largest, stream.entries.length);
    wakeReaders(publisher, stream);
    return undefined;
  }

  function wakeReaders(publisher: string, { lastSeq }: Stream): void {
    for (const read of [...blocked]) if (read.publisher === publisher && lastSeq > read.seq) read.wake();
  }

  function damage(publisher: string, stream: Stream): void {
    const newest = stream.entries.at(-1);
    if (newest === undefined) return;
    const kind = random.pick(["gap", "none of ours", "higher id"] as const);
    if (kind === "gap") stream.entries.splice(random.integer(1, stream.entries.length), 1);
    else stream.lastSeq += random.integer(1, 3);
    if (kind !== "none of ours") return;
    const epoch = random.pick([newest.epoch, "foreign"]);
    stream.entries.push({ seq: stream.lastSeq, epoch, previousEpoch: newest.epoch, event: "{" });
    wakeReaders(publisher, stream);
  }

  function ask<T>(after: Scheduler["after"], run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const latency = () => random.integer(0, 20);
      const fails = random.chance(api.unreliability);
      const fate = fails ? random.pick(["lost", "late", "unanswered"] as const) : "answered";
      const timeout = () => after(COMMAND_TIMEOUT_MS, () => reject(new Error("timed out")));
      const execute = (then: (outcome: () => void) => void) => {
        if (api.away) return then(() => reject(new Error("connection refused")));
        try {
          const result = run();
          then(() => resolve(result));
        } catch (error) {
          then(() => reject(error));
        }
      };
      if (fate === "answered") scheduler.after(latency(), () => execute((outcome) => after(latency(), outcome)));
      else timeout();
      if (fate === "unanswered") scheduler.after(latency(), () => execute(() => {}));
      if (fate === "late") scheduler.after(random.integer(COMMAND_TIMEOUT_MS, LATEST_MS), () => execute(() => {}));
    });
  }

  function read(after: Scheduler["after"], publisher: string, seq: number, limit: number) {
    const found = () =>
      open(publisher)
        .entries.filter((entry) => entry.seq > seq)
        .slice(0, limit);
    return new Promise<readonly LogEntry[]>((resolve) => {
      const waiting = { publisher, seq, wake: () => end() };
      const end = () => {
        cancel();
        blocked.delete(waiting);
        const entries = found();
        after(random.integer(0, 20), () => resolve(entries));
      };
      const cancel = scheduler.after(READ_BLOCK_MS, end);
      if (found().length > 0) end();
      else blocked.add(waiting);
    });
  }

  const api: SimulatedRedis = {
    unreliability: 0,
    away: false,
    describe: () =>
      [...streams]
        .map(
          ([name, stream]) =>
            `stream ${name}: ${JSON.stringify({ ...ends(stream), ...stream, entries: stream.entries.length, reports: [...stream.reports] })}`,
        )
        .join("\n"),
    flush: () => streams.clear(),
    empty() {
      for (const stream of streams.values()) stream.entries = [];
    },
    snapshot: () => void snapshots.push(structuredClone(streams)),
    restore() {
      wentBack = true;
      streams = random.chance(0.2) || snapshots.length === 0 ? new Map() : structuredClone(random.pick(snapshots));
    },
    damage() {
      for (const [publisher, stream] of streams) damage(publisher, stream);
    },
    get appended() {
      return appended;
    },
    get size() {
      return [...streams.values()].reduce((size, { entries }) => size + entries.length, 0);
    },
    get largest() {
      return largest;
    },
    get wentBack() {
      return wentBack;
    },
    replica: (publisher, after) => ({
      ends: () => ask(after, () => ends(open(publisher))),
      append: (expected, rows, rebuild) => ask(after, () => append(publisher, expected, rows, rebuild)),
      trim: (expected, seq) =>
        ask(after, () => {
          const stream = open(publisher);
          if (isHead(stream, expected)) stream.entries = stream.entries.filter((entry) => entry.seq >= seq);
        }),
      reports: () =>
        ask(after, () => {
          const { reports, floor, database } = open(publisher);
          return { positions: new Map(reports), floor, database };
        }),
      reportOrigin: (floor, database) => ask(after, () => void Object.assign(open(publisher), { floor, database })),
    }),
    source: (publisher, after) => ({
      read: (seq, limit) => ask(after, () => undefined).then(() => read(after, publisher, seq, limit)),
      head: () => ask(after, () => ends(open(publisher)).head),
      floor: () => ask(after, () => open(publisher).floor),
      database: () => ask(after, () => open(publisher).database),
      report: (subscriber, position) => {
        const beat = String(++beats);
        return ask(after, () => void open(publisher).reports.set(subscriber, { ...position, beat }));
      },
      discard: () => ask(after, () => clear(open(publisher))),
    }),
  };
  return api;
}
