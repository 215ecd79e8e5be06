import ee from "eventemitter2";
import type { Logger } from "pino";
import { type Clock, systemClock } from "../../base/clock.ts";
import { createOutage } from "../../base/outage.ts";
import { createPace, type Pace, repeat } from "../../base/pace.ts";
import type { Fault } from "../../call/faults.ts";
import type { LogEntry, Position, Store } from "../../store/store.ts";
import { createBroadcasts } from "../broadcasts.ts";
import type { Bus } from "../bus.ts";
import { type Consumer, createConsumer, describeStall } from "../follow/consumer.ts";
import { createConsuming } from "../follow/consuming.ts";
import { DEFAULT_PRUNE_WINDOW_MS, lowestPosition, rowsAfter } from "../pruning.ts";
import type { Subscription } from "../subscription.ts";
import { createLocalLog, type LocalLog } from "./local-log.ts";

const { EventEmitter2 } = ee;

/** How often the logs are looked at for rows that nobody needs any more. */
const PRUNE_EVERY_MS = 60_000;

/** How often a bus that stops looks whether all is applied. */
const SETTLE_POLL_MS = 2;

export interface MemoryBusOptions {
  readonly logger: Logger;
  /** Injected faults: poison by `<subscriber>:<event type>`. */
  readonly faults?: ReadonlyMap<string, Fault> | undefined;
  /** For how long rows are kept after everybody has applied them; see `EventLog.prunable`. */
  readonly pruneWindowMs?: number;
  readonly clock?: Clock;
}

/** The bus of one process that holds all modules: committed rows are handed over by EventEmitter2. */
export function createMemoryBus(options: MemoryBusOptions): Bus {
  const { logger, faults, pruneWindowMs = DEFAULT_PRUNE_WINDOW_MS, clock = systemClock } = options;
  const appended = new EventEmitter2({ maxListeners: 0 });
  const broadcasts = createBroadcasts(logger);
  const members = new Map<string, { store: Store; subscriptions: readonly Subscription[] }>();
  const consumers: Consumer[] = [];
  const running: Promise<void>[] = [];
  const unhook: (() => void)[] = [];
  const prunePace = createPace(clock);
  const prunes: (() => Promise<void>)[] = [];

  /** Serves the subscriptions to one publisher, and prunes what they have applied. */
  function serve(publisher: Store): void {
    const positions = new Map<string, Position>();
    const names: string[] = [];
    const onReport = (name: string, position: Position) => positions.set(name, position);
    for (const [store, subscription] of subscriptionsTo(publisher.name)) {
      let current: LocalLog | undefined;
      const source = (pace: Pace) => {
        current = createLocalLog({ log: publisher.log, database: publisher.database, pace, onReport });
        return current;
      };
      appended.on(publisher.name, (entries: readonly LogEntry[]) => current?.push(entries));
      const outage = createOutage({ what: `The subscription of ${store.name} to ${publisher.name}`, logger, clock });
      const create = () => createConsumer({ store, subscription, source, outage, faults, clock, logger });
      consumers.push(createConsuming(store, create));
      names.push(store.name);
    }
    const prune = async () => {
      const reported = names.map((name) => positions.get(name));
      const below = await publisher.log.prunable(await lowestPosition(publisher.log, reported), pruneWindowMs);
      if (below > ((await publisher.log.floor()) ?? 0)) await publisher.log.prune(below);
    };
    prunes.push(() => publisher.lease("prune", prune));
  }

  function* subscriptionsTo(publisher: string): Generator<[Store, Subscription]> {
    for (const { store, subscriptions } of members.values()) {
      for (const subscription of subscriptions) {
        if (subscription.publisher === publisher) yield [store, subscription];
      }
    }
  }

  function prune(): Promise<void> {
    const outage = createOutage({ what: "Pruning the logs", logger, clock });
    const step = async () => {
      for (const pruneOne of prunes) await pruneOne();
      await prunePace.wait(Math.min(PRUNE_EVERY_MS, pruneWindowMs / 8));
    };
    return repeat(step, { pace: prunePace, onFailure: outage.failed, onSuccess: outage.worked });
  }

  async function positionsOf({ name, publisher }: Consumer): Promise<readonly Position[]> {
    const store = members.get(name)?.store;
    return (await store?.read((reading) => store.cursors.positions(reading, publisher))) ?? [];
  }

  /** Positions before heads: what one subscriber applies in between may be news to another. */
  async function areSettled(): Promise<boolean> {
    const able = consumers.filter((consumer) => consumer.stalled() === undefined);
    const reached = await Promise.all(able.map(positionsOf));
    const heads = await Promise.all(able.map(({ publisher }) => members.get(publisher)?.store.log.head()));
    return heads.every(
      (head, index) =>
        head === undefined || reached[index]?.some(({ epoch, seq }) => epoch === head.epoch && seq >= head.seq),
    );
  }

  return {
    status() {
      const stall = describeStall(consumers);
      return stall === undefined
        ? { kind: "memory", status: "running" }
        : { kind: "memory", status: "degraded", detail: stall };
    },
    stalled: (module) => describeStall(consumers.filter(({ name }) => name === module)),
    async backlogs() {
      const all = consumers.map(async (consumer) => {
        const { publisher, name } = consumer;
        const log = members.get(publisher)?.store.log;
        const [position] = await positionsOf(consumer);
        return log === undefined ? [] : [{ publisher, subscriber: name, rows: await rowsAfter(log, position) }];
      });
      return (await Promise.all(all)).flat();
    },
    join(store, subscriptions) {
      members.set(store.name, { store, subscriptions });
      unhook.push(store.log.onAppended((entries) => appended.emit(store.name, entries)));
    },
    async start() {
      for (const { store } of members.values()) serve(store);
      running.push(prune(), ...consumers.map((consumer) => consumer.run()));
    },
    async stop(timeoutMs) {
      prunePace.stop();
      const settling = createPace(clock);
      // What one subscriber applies may be news to another: all must be settled at one look.
      for (const endMs = clock.now() + timeoutMs; clock.now() < endMs && !(await areSettled()); ) {
        await settling.sleep(SETTLE_POLL_MS);
      }
      for (const consumer of consumers) consumer.stop();
      await Promise.all(running);
      for (const off of unhook) off();
      appended.removeAllListeners();
    },
    broadcast(topic, message) {
      if (!broadcasts.hasListeners(topic)) return;
      // A copy on a later turn, as from another process.
      const text = JSON.stringify(message);
      setImmediate(() => broadcasts.deliver(topic, JSON.parse(text)));
    },
    onBroadcast: broadcasts.on,
  };
}
