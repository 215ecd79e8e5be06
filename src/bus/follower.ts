import type { Logger } from "pino";
import type { Cursors, Position } from "../store/store.ts";
import type { Clock } from "./clock.ts";
import { type Consumer, GROUP_SIZE } from "./consumer.ts";
import type { LogSource } from "./log-source.ts";
import type { Outage } from "./outage.ts";
import { type Pace, repeat } from "./pace.ts";

/** How often a subscriber reports its position. */
const REPORT_EVERY_MS = 1_000;

/** The longest rest after a round, in milliseconds. */
const LONGEST_REST_MS = 10;

/** How long a subscription that cannot go on waits before it looks again. */
const STALL_MS = 1_000;

export interface FollowerOptions {
  readonly publisher: string;
  readonly subscriber: string;
  /** The subscriber's. */
  readonly cursors: Cursors;
  readonly source: LogSource;
  readonly consumer: Consumer;
  readonly pace: Pace;
  readonly clock: Clock;
  /** Told how the source fares. */
  readonly outage: Outage;
  readonly logger: Logger;
  /** The most rows in one read. */
  readonly groupSize?: number;
}

/** Follows one publisher's log for one subscriber. */
export interface Follower {
  /** Follows until stopped. */
  run(): Promise<void>;
  /** True while rows are missing between the cursor and what the source has: nothing is applied, nothing skipped. */
  stalled(): boolean;
}

export function createFollower(options: FollowerOptions): Follower {
  const {
    publisher,
    subscriber,
    cursors,
    source,
    consumer,
    pace,
    clock,
    outage,
    logger,
    groupSize = GROUP_SIZE,
  } = options;
  // Where to read on. Only a hint: whether a row is applied is decided by the cursor, in the consumer's transaction.
  let after = lastApplied().seq;
  let rereading = false;
  let stalled = false;
  let reportAtMs = clock.now();
  let restUntilMs = 0;

  function lastApplied(): Position {
    return cursors.positions(publisher)[0] ?? { epoch: "", seq: 0 };
  }

  /** Always overwrites, zero too: a subscriber restored from a backup, or a Redis from a snapshot, went back. */
  async function report(): Promise<void> {
    await source.report(subscriber, lastApplied());
    reportAtMs = clock.now() + REPORT_EVERY_MS;
  }

  async function step(): Promise<void> {
    if (clock.now() >= reportAtMs) await report();
    await rest();
    const entries = await source.read(after, groupSize);
    const last = entries.at(-1);
    if (last === undefined) {
      await checkHead();
      return;
    }
    const startedAtMs = clock.now();
    const { applied, connected } = await consumer.apply(entries, await adoptableFloor());
    restUntilMs = clock.now() + Math.min(clock.now() - startedAtMs, LONGEST_REST_MS);
    if (applied > 0) goOn();
    if (connected) after = last.seq;
    else await rereadOrStall();
  }

  /** As long as the last round took: under load more comes meanwhile and shares a commit; who comes alone waits for nobody. */
  async function rest(): Promise<void> {
    const restMs = restUntilMs - clock.now();
    if (restMs > 0) await pace.sleep(restMs);
  }

  /** A blocked read does not notice that the stream was deleted and rebuilt below its position. */
  async function checkHead(): Promise<void> {
    const head = await source.head();
    if (head === undefined) return;
    if (head.seq <= cursors.position(publisher, head.epoch)) goOn();
    else if (head.seq <= after) after = 0;
  }

  async function rereadOrStall(): Promise<void> {
    after = 0;
    if (!rereading) {
      rereading = true;
      return;
    }
    if (!stalled) {
      stalled = true;
      const position = lastApplied();
      logger.error({ publisher, subscriber, position }, "Events are missing after this position; nothing is skipped");
    }
    await report();
    await pace.sleep(STALL_MS);
  }

  function goOn(): void {
    rereading = false;
    if (stalled) logger.info({ publisher, subscriber }, "The missing events have come");
    stalled = false;
  }

  /** A subscriber that was added to a pruned log has no cursor at all; any other that finds rows missing has lost them. */
  async function adoptableFloor(): Promise<number | undefined> {
    return rereading && cursors.positions(publisher).length === 0 ? await source.floor() : undefined;
  }

  return {
    run: () => repeat(step, { pace, onFailure: outage.failed, onSuccess: outage.worked }),
    stalled: () => stalled,
  };
}
