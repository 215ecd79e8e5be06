import type { Logger } from "pino";
import type { Clock } from "../../base/clock.ts";
import type { Outage } from "../../base/outage.ts";
import { createPace, type Pace, repeat } from "../../base/pace.ts";
import type { Fault } from "../../call/faults.ts";
import type { LogEntry, Position, Store } from "../../store/store.ts";
import type { LogSource } from "../log-source.ts";
import type { Subscription } from "../subscription.ts";
import { Applier, GROUP_SIZE } from "./applier.ts";
import { withPoison } from "./poison.ts";

/** How often a subscriber reports its position. */
const REPORT_EVERY_MS = 1_000;

/** The longest rest after a round, in milliseconds. */
const LONGEST_REST_MS = 10;

/** How long a subscription that cannot go on waits before it looks again. */
const STALL_MS = 1_000;

/** After so long it is told of: whoever was away for long lacks rows until its publisher has heard of it. */
const STALL_TOLD_AFTER_MS = 3_000;

export interface ConsumerOptions {
  /** The subscriber's. */
  readonly store: Store;
  readonly subscription: Subscription;
  /** Makes the source, given the pauses of the loop that reads it. */
  readonly source: (pace: Pace) => LogSource;
  /** Told how the source fares. */
  readonly outage: Outage;
  /** Injected faults: poison by `<subscriber>:<event type>`. */
  readonly faults: ReadonlyMap<string, Fault> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The most events in one read, and in one transaction. */
  readonly groupSize?: number;
}

/** Reads one publisher's log for one subscriber, and applies it. */
export interface Consumer {
  /** The subscriber's name. */
  readonly name: string;
  readonly publisher: string;
  /** Goes on until stopped. */
  run(): Promise<void>;
  /** Why nothing is applied, and nothing skipped, though there is more; undefined while all goes well. */
  stalled(): string | undefined;
  stop(): void;
}

/** What serves one subscription of a module in this process, the same for every bus. */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { store, outage, faults, clock, logger, groupSize = GROUP_SIZE } = options;
  const { name: subscriber, cursors } = store;
  const { publisher } = options.subscription;
  const pace = createPace(clock);
  const source = options.source(pace);
  const subscription = withPoison(subscriber, options.subscription, faults);
  const applier = new Applier({ store, subscription, logger, pace, clock, groupSize });
  // Where to read on. Only a hint: whether a row is applied is decided by the cursor, in the transaction that applies it.
  let after = 0;
  // All up to this row has been applied, the row itself now or before.
  let reached: Position | undefined;
  let rereading = false;
  let stalledSinceMs: number | undefined;
  let stallTold = false;
  let discardAtMs = 0;
  let reportAtMs = clock.now();
  let restUntilMs = 0;
  // The openings of the publisher's database of which it is known that it is the one whose events were applied before.
  const known = new Set<string>();
  let isForeign = false;

  const positions = () => store.read((reading) => cursors.positions(reading, publisher));

  async function lastApplied(): Promise<Position> {
    return (await positions())[0] ?? { epoch: "", seq: 0 };
  }

  async function begin(): Promise<void> {
    reached = await lastApplied();
    after = reached.seq;
  }

  /** A server in whose place another one comes may forget what was applied while this process goes on. */
  async function hasGoneBack({ epoch, seq }: Position): Promise<boolean> {
    return (await store.read((reading) => cursors.position(reading, publisher, epoch))) < seq;
  }

  /** Always overwrites, zero too: a subscriber restored from a backup, or a Redis from a snapshot, went back. */
  async function report(): Promise<void> {
    if (reached !== undefined) {
      if (await hasGoneBack(reached)) await begin();
      await source.report(subscriber, reached);
    }
    reportAtMs = clock.now() + REPORT_EVERY_MS;
  }

  async function step(): Promise<void> {
    if (reached === undefined) await begin();
    if (clock.now() >= reportAtMs) await report();
    await rest();
    const entries = await source.read(after, groupSize);
    const last = entries.at(-1);
    if (last === undefined) {
      await checkHead();
      return;
    }
    if (!(await isKnown(entries))) {
      after = 0;
      return pace.sleep(STALL_MS);
    }
    const startedAtMs = clock.now();
    const { applied, connected } = await applier.apply(entries, await adoptableFloor());
    restUntilMs = clock.now() + restMs(entries, clock.now() - startedAtMs);
    if (applied > 0) goOn();
    if (connected) {
      after = last.seq;
      reached = { epoch: last.epoch, seq: last.seq };
      return;
    }
    if (applied > 0) reached = await lastApplied();
    await rereadOrStall(entries);
  }

  async function rest(): Promise<void> {
    const leftMs = restUntilMs - clock.now();
    if (leftMs > 0) await pace.sleep(leftMs);
  }

  /** A blocked read does not notice that the stream was deleted and rebuilt below its position. */
  async function checkHead(): Promise<void> {
    const head = await source.head();
    if (head === undefined) return;
    const applied = await store.read((reading) => cursors.position(reading, publisher, head.epoch));
    if (head.seq <= applied) {
      reached = head;
      goOn();
    } else if (head.seq <= after) after = 0;
  }

  /** A log of another shop begins with row 1, which would connect to anything. */
  async function isKnown(entries: readonly LogEntry[]): Promise<boolean> {
    if (entries.every(({ epoch }) => known.has(epoch))) return true;
    const met = await source.database();
    const was = isForeign;
    isForeign = met !== undefined && (await cursors.knowPublisher(publisher, met)) !== met;
    if (isForeign && !was) {
      logger.error(
        { publisher, subscriber },
        `${describeForeign()}. Put the database of ${publisher} back that ${subscriber} was used with, or begin with both anew`,
      );
    }
    if (!isForeign && met !== undefined) for (const { epoch } of entries) known.add(epoch);
    return !isForeign;
  }

  function describeForeign(): string {
    return `the log of ${publisher} is another shop's, and ${subscriber} applies nothing of it`;
  }

  async function rereadOrStall(entries: readonly LogEntry[]): Promise<void> {
    after = 0;
    if (!rereading) {
      rereading = true;
      return;
    }
    await report();
    stalledSinceMs ??= clock.now();
    // A publisher that hears where this one stands brings what it lacks, unless that seems to be there.
    if (clock.now() >= discardAtMs && !startsBeyond(entries)) {
      await source.discard();
      // The gap may come back with an older state of the stream, or be in the log itself: then ever more seldom.
      discardAtMs = clock.now() + (clock.now() - stalledSinceMs);
    }
    if (!stallTold && clock.now() - stalledSinceMs >= STALL_TOLD_AFTER_MS) {
      stallTold = true;
      logger.error(
        { publisher, subscriber, position: await lastApplied() },
        "Events are missing after this position; nothing is skipped",
      );
    }
    await pace.sleep(STALL_MS);
  }

  function startsBeyond([first]: readonly LogEntry[]): boolean {
    return first !== undefined && first.seq > (reached?.seq ?? 0) + 1;
  }

  function goOn(): void {
    rereading = false;
    stalledSinceMs = undefined;
    discardAtMs = 0;
    if (stallTold) logger.info({ publisher, subscriber }, "The missing events have come");
    stallTold = false;
  }

  /** A subscriber that was added to a pruned log has no cursor at all; any other that finds rows missing has lost them. */
  async function adoptableFloor(): Promise<number | undefined> {
    return rereading && (await positions()).length === 0 ? await source.floor() : undefined;
  }

  return {
    name: subscriber,
    publisher,
    run: () => repeat(step, { pace, onFailure: outage.failed, onSuccess: outage.worked }),
    stalled() {
      if (isForeign) return describeForeign();
      return stallTold ? `${subscriber} lacks events of ${publisher} and waits for them` : undefined;
    },
    stop: pace.stop,
  };
}

/** As long as the last round took: under load more comes meanwhile and shares a commit. What came alone is not waited with. */
function restMs({ length }: readonly LogEntry[], roundMs: number): number {
  return length > 1 ? Math.min(roundMs, LONGEST_REST_MS) : 0;
}

/** Says which subscription cannot go on, undefined when all can. */
export function describeStall(consumers: readonly Consumer[]): string | undefined {
  return consumers.map((consumer) => consumer.stalled()).find((stall) => stall !== undefined);
}
