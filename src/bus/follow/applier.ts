import type { Logger } from "pino";
import type { Clock } from "../../base/clock.ts";
import { createOutage, type Outage } from "../../base/outage.ts";
import { backoffMs, type Pace, Stopped } from "../../base/pace.ts";
import type { CloudEvent } from "../../contract/event.ts";
import { isEnvironmentFault } from "../../store/environment-fault.ts";
import type { LogEntry, Store } from "../../store/store.ts";
import type { Reading, Unit, Work } from "../../store/unit.ts";
import type { Subscription } from "../subscription.ts";
import { createEventLines } from "./event-lines.ts";
import { GroupSize } from "./group-size.ts";
import { type ApplyTraced, traceApplied } from "./trace-applied.ts";

/** The most events in one transaction, unless told otherwise: bounds how long it keeps the event loop. */
export const GROUP_SIZE = 64;

/** Tries of an event before it becomes a dead letter. */
const MAX_ATTEMPTS = 5;

/** Delay after the first failed try of an event; it doubles. */
const FIRST_RETRY_MS = 5;

const NOT_MOVED: ReadonlyMap<string, number> = new Map();

const INTERRUPTED = new Error("the process ended during each try");

export interface ApplierOptions {
  /** The subscriber's store. */
  readonly store: Store;
  readonly subscription: Subscription;
  readonly logger: Logger;
  readonly pace: Pick<Pace, "sleep" | "stopped">;
  readonly clock: Clock;
  /** The most events in one transaction, and how many go alone after a start. */
  readonly groupSize?: number;
}

/** How many rows were applied, and whether all connected; those after the first that did not are untouched. */
export interface Progress {
  readonly applied: number;
  readonly connected: boolean;
}

/** What came of a transaction, and how many of the rows it looked at. */
interface Outcome extends Progress {
  readonly taken: number;
}

/** A row that failed for a reason of its own; nothing was changed. */
interface Failure {
  readonly failed: LogEntry | undefined;
  readonly error: unknown;
}

/** The event of a row that is the next to apply; else that it is applied, or does not connect to what was applied. */
type Standing = CloudEvent | "applied" | "disconnected";

/** Applies the rows of one publisher's log to one subscriber. */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #publisher: string;
  readonly #outage: Outage;
  readonly #tell: (event: CloudEvent) => void;
  readonly #together: GroupSize;
  /**
   * A poisonous event may have killed the process in the midst of a group, uncounted. So as many rows as a group holds go
   * alone after each start, every try counted before it.
   */
  #aloneAfterStart: number;
  /** The row that was tried last: when a transaction fails for a reason of its own, it was for that of this row. */
  #tried: LogEntry | undefined;

  constructor(options: ApplierOptions) {
    const { store, subscription, logger, clock, groupSize = GROUP_SIZE } = options;
    this.#options = options;
    this.#publisher = subscription.publisher;
    this.#outage = createOutage({ what: `The store of ${store.name}`, logger, clock });
    this.#tell = createEventLines(store.name, logger);
    this.#together = new GroupSize(groupSize);
    this.#aloneAfterStart = groupSize;
  }

  /**
   * Applies rows in order, each once in effect: rows that the cursor has passed are skipped. A row that fails for a
   * reason of its own becomes a dead letter after its last try; a fault of the environment is waited out.
   * @param floor the number of the log's oldest row: a subscriber that has no cursor at all may start there
   * @throws Stopped when stopped: what is applied by then stays so
   */
  async apply(entries: readonly LogEntry[], floor?: number): Promise<Progress> {
    let applied = 0;
    let poisonous: LogEntry | undefined;
    for (let rest = entries; rest[0] !== undefined; ) {
      if (this.#options.pace.stopped) throw new Stopped(); // where the store is slow, all of them could take longer than a stop may
      const alone = this.#aloneAfterStart > 0 || rest[0] === poisonous;
      const outcome = alone
        ? await this.#applyAlone(rest[0], floor)
        : await this.#applyTogether(rowsBefore(poisonous, rest), floor);
      if ("failed" in outcome) {
        // The row that failed goes alone from now on; the try that just failed is the first that it has.
        poisonous = outcome.failed ?? rest[0];
        await this.#countAttempt(poisonous);
        continue;
      }
      applied += outcome.applied;
      if (!outcome.connected) return { applied, connected: false };
      this.#aloneAfterStart = Math.max(0, this.#aloneAfterStart - outcome.applied);
      rest = rest.slice(outcome.taken);
    }
    return { applied, connected: true };
  }

  async #applyAlone(row: LogEntry, floor: number | undefined): Promise<Outcome> {
    const { store, logger, pace } = this.#options;
    for (;;) {
      const event = await this.#persist(() => store.read((reading) => this.#standing(reading, row, floor)));
      if (event === "applied" || event === "disconnected") return passedOver(event);
      const attempts = await this.#countAttempt(row);
      const outcome = attempts > MAX_ATTEMPTS ? { error: INTERRUPTED } : await this.#applyTogether([row], floor);
      if ("connected" in outcome) return outcome;
      if (attempts >= MAX_ATTEMPTS) {
        logger.error(
          { err: outcome.error, publisher: this.#publisher, seq: row.seq },
          "An event becomes a dead letter",
        );
        return this.#bury(row, event, outcome.error, floor);
      }
      await pace.sleep(FIRST_RETRY_MS * 2 ** (attempts - 1));
    }
  }

  /** Applies rows, or the first of them, in one transaction with the cursor and the subscriber's own events, or none of them. */
  async #applyTogether(rows: readonly LogEntry[], floor: number | undefined): Promise<Outcome | Failure> {
    const { store } = this.#options;
    this.#tried = undefined;
    const transaction = (apply: ApplyTraced) =>
      store.write((unit) => this.#applyRows(unit, rows.slice(0, this.#together.now), floor, apply));
    try {
      const outcome = await this.#persist(
        () => traceApplied(store.name, this.#publisher, transaction, this.#tell),
        () => this.#together.prevented(),
      );
      this.#together.worked();
      return outcome;
    } catch (error) {
      if (error instanceof Stopped) throw error;
      return { failed: this.#tried, error };
    }
  }

  /** The checks run inside the transaction: two processes of one subscriber may overlap for a moment. */
  *#applyRows(unit: Unit, rows: readonly LogEntry[], floor: number | undefined, apply: ApplyTraced): Work<Outcome> {
    const { store, subscription } = this.#options;
    const moved = new Map<string, number>();
    let applied = 0;
    let connected = true;
    yield* store.cursors.take(unit, this.#publisher);
    for (const row of rows) {
      const event = yield* this.#standing(unit, row, floor, moved);
      if (event === "applied") continue;
      connected = event !== "disconnected";
      if (event === "disconnected") break;
      this.#tried = row;
      yield* apply(event, subscription.apply(unit, event));
      moved.set(row.epoch, row.seq);
      applied += 1;
    }
    for (const [epoch, seq] of moved) yield* store.cursors.move(unit, this.#publisher, { epoch, seq });
    return { applied, connected, taken: rows.length };
  }

  /**
   * A row connects when all before it were applied: the epoch of the one before says which rows those are. What is no event
   * connects to nothing: tries of it would be counted against the row in whose place it is.
   * @param moved where the cursors will be when this work ends, by epoch
   */
  *#standing(
    reading: Reading,
    row: LogEntry,
    floor: number | undefined,
    moved: ReadonlyMap<string, number> = NOT_MOVED,
  ): Work<Standing> {
    const { seq, epoch, previousEpoch } = row;
    const publisher = this.#publisher;
    const { cursors } = this.#options.store;
    // No generator of its own for either look: this runs for each event.
    const reached = moved.get(epoch) ?? (yield* cursors.position(reading, publisher, epoch));
    if (seq <= reached) return "applied";
    const before =
      previousEpoch === epoch
        ? reached
        : (moved.get(previousEpoch) ?? (yield* cursors.position(reading, publisher, previousEpoch)));
    const isNext =
      seq === 1 || before >= seq - 1 || (seq === floor && (yield* cursors.positions(reading, publisher)).length === 0);
    return isNext ? (readEvent(row) ?? "disconnected") : "disconnected";
  }

  /** Resolves how often this row was tried, the try that follows included. */
  #countAttempt({ epoch, seq }: LogEntry): Promise<number> {
    return this.#persist(() => this.#options.store.cursors.countAttempt(this.#publisher, { epoch, seq }));
  }

  /**
   * The dead letter and the cursor move together, so that no event is dropped and none is buried twice. Since its last try the store may
   * have gone back to where rows before this one are not applied.
   */
  #bury(row: LogEntry, event: CloudEvent, reason: unknown, floor: number | undefined): Promise<Outcome> {
    const { store } = this.#options;
    const error = reason instanceof Error ? reason.message : String(reason);
    const position = { epoch: row.epoch, seq: row.seq };
    const letter = { publisher: this.#publisher, position, event, error, attempts: MAX_ATTEMPTS };
    const standing = (reading: Reading) => this.#standing(reading, row, floor);
    return this.#persist(() =>
      store.write(function* (unit) {
        yield* store.cursors.take(unit, letter.publisher);
        const found = yield* standing(unit);
        if (found === "applied" || found === "disconnected") return passedOver(found);
        yield* store.cursors.bury(unit, letter);
        yield* store.cursors.move(unit, letter.publisher, position);
        return { applied: 1, connected: true, taken: 1 };
      }),
    );
  }

  /**
   * Repeats what the environment prevents, for as long as it does. A commit in doubt is safe: the cursor tells.
   * @param onPrevented called each time that it does
   */
  async #persist<T>(work: () => Promise<T>, onPrevented?: () => void): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        const result = await work();
        this.#outage.worked();
        return result;
      } catch (error) {
        if (!isEnvironmentFault(error)) throw error;
        this.#outage.failed(error);
        onPrevented?.();
        await this.#options.pace.sleep(backoffMs(failures));
      }
    }
  }
}

/** What comes of a row alone that is not applied now. */
function passedOver(standing: "applied" | "disconnected"): Outcome {
  return { applied: 0, connected: standing === "applied", taken: 1 };
}

/** Those that may go together. */
function rowsBefore(poisonous: LogEntry | undefined, rows: readonly LogEntry[]): readonly LogEntry[] {
  const before = poisonous === undefined ? -1 : rows.indexOf(poisonous);
  return before === -1 ? rows : rows.slice(0, before);
}

/** No publisher writes what is no JSON: undefined for what somebody else has put into a replica. */
function readEvent({ event }: LogEntry): CloudEvent | undefined {
  try {
    return JSON.parse(event) as CloudEvent;
  } catch {
    return undefined;
  }
}
