import type { Outage } from "../../base/outage.ts";
import { backoffMs, type Pace, Stopped } from "../../base/pace.ts";
import type { CloudEvent } from "../../contract/event.ts";
import { isEnvironmentFault } from "../../store/environment-fault.ts";
import type { LogEntry, Store } from "../../store/store.ts";
import type { Reading, Unit, Work } from "../../store/unit.ts";
import type { Subscription } from "../subscription.ts";
import { type ApplyTraced, traceApplied } from "./trace-applied.ts";

export interface RowApplierOptions {
  /** The subscriber's store. */
  readonly store: Store;
  readonly subscription: Subscription;
  readonly pace: Pick<Pace, "sleep">;
  /** Told how the subscriber's store fares. */
  readonly outage: Outage;
  /** Told of each event that was applied. */
  readonly tell: (event: CloudEvent) => void;
}

/** How many rows were applied, and whether all connected; those after the first that did not are untouched. */
export interface Progress {
  readonly applied: number;
  readonly connected: boolean;
}

/** One of the rows failed for a reason of its own, and nothing was changed. */
export interface RowFailure {
  readonly failedAt: number;
  readonly error: unknown;
}

/** Where a row stands: applied, the next one to apply, or not connected to what was applied. */
export type Standing = "applied" | "next" | "disconnected";

/** The transactions of a subscriber. Each waits out a fault of the environment, and throws Stopped when stopped. */
export interface RowApplier {
  standing(row: LogEntry, floor: number | undefined): Promise<Standing>;
  /** Applies rows in one transaction with the cursor and the subscriber's own events. */
  apply(rows: readonly LogEntry[], floor: number | undefined): Promise<Progress | RowFailure>;
  /** Resolves how often this row was tried, the try that follows included. */
  countAttempt(row: LogEntry): Promise<number>;
  /** The dead letter and the cursor move together, so that no event is dropped and none is buried twice. */
  bury(row: LogEntry, reason: unknown, attempts: number): Promise<Progress>;
}

export function createRowApplier({ store, subscription, pace, outage, tell }: RowApplierOptions): RowApplier {
  const { cursors } = store;
  const { publisher } = subscription;

  /**
   * A row connects when all before it were applied: the epoch of the one before says which rows those are.
   * @param moved where the cursors will be when this work ends, by epoch
   */
  function* standing(
    reading: Reading,
    { seq, epoch, previousEpoch }: LogEntry,
    floor: number | undefined,
    moved: ReadonlyMap<string, number> = new Map(),
  ): Work<Standing> {
    const reached = function* (of: string): Work<number> {
      return moved.get(of) ?? (yield* cursors.position(reading, publisher, of));
    };
    if (seq <= (yield* reached(epoch))) return "applied";
    if (seq === 1 || (yield* reached(previousEpoch)) >= seq - 1) return "next";
    const isNew = seq === floor && (yield* cursors.positions(reading, publisher)).length === 0;
    return isNew ? "next" : "disconnected";
  }

  /** The checks run inside the transaction: two processes of one subscriber may overlap for a moment. */
  function* applyRows(
    unit: Unit,
    rows: readonly LogEntry[],
    floor: number | undefined,
    at: (i: number) => void,
    apply: ApplyTraced,
  ): Work<Progress> {
    const moved = new Map<string, number>();
    let applied = 0;
    let connected = true;
    for (const [index, row] of rows.entries()) {
      const stands = yield* standing(unit, row, floor, moved);
      connected = stands !== "disconnected";
      if (!connected) break;
      if (stands === "applied") continue;
      const event = readEvent(row);
      connected = event !== undefined;
      if (event === undefined) break;
      at(index);
      yield* apply(event, subscription.apply(unit, event));
      moved.set(row.epoch, row.seq);
      applied += 1;
    }
    for (const [epoch, seq] of moved) yield* cursors.move(unit, publisher, { epoch, seq });
    return { applied, connected };
  }

  /** Repeats what the environment prevents, for as long as it does. A commit in doubt is safe: the cursor tells. */
  async function persist<T>(work: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        const result = await work();
        outage.worked();
        return result;
      } catch (error) {
        if (!isEnvironmentFault(error)) throw error;
        outage.failed(error);
        await pace.sleep(backoffMs(failures));
      }
    }
  }

  return {
    async standing(row, floor) {
      const stands = await persist(() => store.read((reading) => standing(reading, row, floor)));
      // Tries of what is no event would be counted against the row in whose place it is.
      return stands === "next" && readEvent(row) === undefined ? "disconnected" : stands;
    },
    apply(rows, floor) {
      let failedAt = 0;
      const at = (index: number) => {
        failedAt = index;
      };
      const work = persist(() =>
        traceApplied(
          store.name,
          publisher,
          (apply) => store.write((unit) => applyRows(unit, rows, floor, at, apply)),
          tell,
        ),
      );
      return work.catch((error: unknown) => {
        if (error instanceof Stopped) throw error;
        return { failedAt, error };
      });
    },
    countAttempt: ({ epoch, seq }) => persist(() => cursors.countAttempt(publisher, { epoch, seq })),
    async bury(row, reason, attempts) {
      const event = readEvent(row);
      if (event === undefined) return { applied: 0, connected: false };
      const error = reason instanceof Error ? reason.message : String(reason);
      const dead = { publisher, position: { epoch: row.epoch, seq: row.seq }, event, error, attempts };
      return persist(() =>
        store.write(function* (unit) {
          if ((yield* standing(unit, row, undefined)) === "applied") return { applied: 0, connected: true };
          yield* cursors.bury(unit, dead);
          yield* cursors.move(unit, publisher, dead.position);
          return { applied: 1, connected: true };
        }),
      );
    },
  };
}

/** No publisher writes what is no JSON: undefined for what somebody else has put into a replica. */
function readEvent({ event }: LogEntry): CloudEvent | undefined {
  try {
    return JSON.parse(event) as CloudEvent;
  } catch {
    return undefined;
  }
}
