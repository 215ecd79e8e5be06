import type { Logger } from "pino";
import type { Clock } from "../../base/clock.ts";
import { createOutage } from "../../base/outage.ts";
import type { Pace } from "../../base/pace.ts";
import type { LogEntry, Store } from "../../store/store.ts";
import type { Subscription } from "../subscription.ts";
import { createEventLines } from "./event-lines.ts";
import { createRowApplier, type Progress } from "./row-applier.ts";

/** The most events in one transaction, unless told otherwise: bounds how long it keeps the event loop. */
export const GROUP_SIZE = 64;

/** Tries of an event before it becomes a dead letter. */
export const MAX_ATTEMPTS = 5;

/** Delay after the first failed try of an event; it doubles. */
const FIRST_RETRY_MS = 5;

const INTERRUPTED = new Error("the process ended during each try");

export interface ConsumerOptions {
  /** The subscriber's store. */
  readonly store: Store;
  readonly subscription: Subscription;
  readonly logger: Logger;
  readonly pace: Pick<Pace, "sleep">;
  readonly clock: Clock;
  /** The most events in one transaction, and how many go alone after a start. */
  readonly groupSize?: number;
}

export interface Consumer {
  /**
   * Applies rows of the publisher's log in order, each once in effect: rows that the cursor has passed are skipped.
   * A row that fails for a reason of its own becomes a dead letter after its last try; a fault of the environment is
   * waited out.
   *
   * @param floor the number of the log's oldest row: a subscriber that has no cursor at all may start there
   * @throws Stopped when stopped while it waits
   */
  apply(entries: readonly LogEntry[], floor?: number): Promise<Progress>;
}

/** Applies the log of one publisher to one subscriber. */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { store, subscription, logger, pace, clock, groupSize = GROUP_SIZE } = options;
  const { publisher } = subscription;
  const outage = createOutage({ what: `The store of ${store.name}`, logger, clock });
  const tell = createEventLines(store.name, logger);
  const applier = createRowApplier({ store, subscription, pace, outage, tell });
  // A poisonous event may have killed the process in the midst of a group, uncounted. So as many rows as a group
  // holds go alone after each start, every try counted before it.
  let aloneAfterStart = groupSize;

  async function applyAlone(row: LogEntry, floor: number | undefined): Promise<Progress> {
    for (;;) {
      const standing = await applier.standing(row, floor);
      if (standing !== "next") return { applied: 0, connected: standing === "applied" };
      const attempts = await applier.countAttempt(row);
      const outcome = attempts > MAX_ATTEMPTS ? { error: INTERRUPTED } : await applier.apply([row], floor);
      if ("connected" in outcome) return outcome;
      if (attempts >= MAX_ATTEMPTS) {
        logger.error({ err: outcome.error, publisher, seq: row.seq }, "An event becomes a dead letter");
        return applier.bury(row, outcome.error, MAX_ATTEMPTS);
      }
      await pace.sleep(FIRST_RETRY_MS * 2 ** (attempts - 1));
    }
  }

  return {
    async apply(entries, floor) {
      let applied = 0;
      let poisonous: LogEntry | undefined;
      for (let rest = entries; rest[0] !== undefined; ) {
        const alone = aloneAfterStart > 0 || rest[0] === poisonous;
        const rows = alone ? rest.slice(0, 1) : groupBefore(rest, poisonous, groupSize);
        const outcome = alone ? await applyAlone(rest[0], floor) : await applier.apply(rows, floor);
        if ("failedAt" in outcome) {
          // The row that failed goes alone from now on; the try that just failed is the first that it has.
          poisonous = rows[outcome.failedAt] as LogEntry;
          await applier.countAttempt(poisonous);
          continue;
        }
        applied += outcome.applied;
        if (!outcome.connected) return { applied, connected: false };
        aloneAfterStart = Math.max(0, aloneAfterStart - outcome.applied);
        rest = rest.slice(rows.length);
      }
      return { applied, connected: true };
    },
  };
}

/** The next rows that go together, up to the poisonous one. */
function groupBefore(
  rows: readonly LogEntry[],
  poisonous: LogEntry | undefined,
  groupSize: number,
): readonly LogEntry[] {
  const end = poisonous === undefined ? -1 : rows.indexOf(poisonous);
  return rows.slice(0, end === -1 ? groupSize : Math.min(groupSize, end));
}
