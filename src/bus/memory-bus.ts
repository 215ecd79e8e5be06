import ee from "eventemitter2";
import type { Logger } from "pino";
import type { Fault } from "../contract/faults.ts";
import type { LogEntry, Position, Store } from "../store/store.ts";
import type { Bus } from "./bus.ts";
import { type Clock, systemClock } from "./clock.ts";
import { createConsumer } from "./consumer.ts";
import { createFollower, type Follower } from "./follower.ts";
import { createLocalLog } from "./local-log.ts";
import { createOutage } from "./outage.ts";
import { createPace, type Pace, repeat } from "./pace.ts";
import { withPoison } from "./poison.ts";
import { createPruneWindow, DEFAULT_PRUNE_WINDOW_MS, lowestPosition } from "./pruning.ts";
import type { Subscription } from "./subscription.ts";

const { EventEmitter2 } = ee;

/** How often the logs are looked at for rows that nobody needs any more. */
const PRUNE_EVERY_MS = 60_000;

/** How often a bus that stops looks whether all is applied. */
const SETTLE_POLL_MS = 2;

export interface MemoryBusOptions {
  readonly logger: Logger;
  /** Injected faults: poison by `<subscriber>:<event type>`. */
  readonly faults?: ReadonlyMap<string, Fault>;
  /** For how long rows are kept after everybody has applied them; see `createPruneWindow`. */
  readonly pruneWindowMs?: number;
  readonly clock?: Clock;
}

interface Follow {
  readonly store: Store;
  readonly publisher: Store;
  readonly follower: Follower;
  readonly pace: Pace;
}

/** The bus of one process that holds all modules: committed rows are handed over by EventEmitter2. */
export function createMemoryBus(options: MemoryBusOptions): Bus {
  const { logger, faults, pruneWindowMs = DEFAULT_PRUNE_WINDOW_MS, clock = systemClock } = options;
  const appended = new EventEmitter2({ maxListeners: 0 });
  const broadcasts = new EventEmitter2({ maxListeners: 0 });
  const members = new Map<string, { store: Store; subscriptions: readonly Subscription[] }>();
  const positions = new Map<string, Map<string, Position>>();
  const follows: Follow[] = [];
  const running: Promise<void>[] = [];
  const unhook: (() => void)[] = [];
  const prunePace = createPace(clock);

  function follow(store: Store, subscription: Subscription): void {
    const publisher = members.get(subscription.publisher)?.store;
    if (publisher === undefined)
      throw new Error(`${store.name} subscribes to ${subscription.publisher}, which is not here`);
    const pace = createPace(clock);
    const reports = positions.get(publisher.name) ?? new Map<string, Position>();
    positions.set(publisher.name, reports);
    const source = createLocalLog({ log: publisher.log, pace, onReport: (name, at) => reports.set(name, at) });
    const applying = { store, subscription: withPoison(store.name, subscription, faults), logger, pace, clock };
    const follower = createFollower({
      publisher: publisher.name,
      subscriber: store.name,
      cursors: store.cursors,
      source,
      consumer: createConsumer(applying),
      pace,
      clock,
      outage: createOutage({ what: `The subscription of ${store.name} to ${publisher.name}`, logger, clock }),
      logger,
    });
    const push = (entries: readonly LogEntry[]) => source.push(entries);
    appended.on(publisher.name, push);
    unhook.push(() => appended.off(publisher.name, push));
    follows.push({ store, publisher, follower, pace });
  }

  /** Rows that every subscriber applied long ago are deleted. */
  function prune(store: Store) {
    const prunable = createPruneWindow({ windowMs: pruneWindowMs, now: clock.now });
    const subscribers = follows.filter(({ publisher }) => publisher === store).map((follow) => follow.store.name);
    return async () => {
      const reports = subscribers.map((name) => positions.get(store.name)?.get(name));
      const below = prunable(lowestPosition(store.log, reports));
      if (below > (store.log.floor() ?? 0)) await store.log.prune(below);
    };
  }

  async function pruneAll(): Promise<void> {
    const prunes = [...members.values()].map(({ store }) => prune(store));
    const outage = createOutage({ what: "Pruning the logs", logger, clock });
    const step = async () => {
      await prunePace.wait(Math.min(PRUNE_EVERY_MS, pruneWindowMs / 8));
      for (const pruneOne of prunes) await pruneOne();
    };
    await repeat(step, { pace: prunePace, onFailure: outage.failed, onSuccess: outage.worked });
  }

  const isSettled = ({ store, publisher, follower }: Follow): boolean => {
    const head = publisher.log.head();
    return head === undefined || follower.stalled() || store.cursors.position(publisher.name, head.epoch) >= head.seq;
  };

  function deliver(topic: string, text: string): void {
    try {
      broadcasts.emit(topic, JSON.parse(text));
    } catch (error) {
      logger.warn({ err: error, topic }, "A listener to a broadcast failed");
    }
  }

  return {
    status() {
      const stalled = follows.find(({ follower }) => follower.stalled());
      if (stalled === undefined) return { kind: "memory", status: "running" };
      return {
        kind: "memory",
        status: "degraded",
        detail: `${stalled.store.name} misses events of ${stalled.publisher.name}`,
      };
    },
    join(store, subscriptions) {
      members.set(store.name, { store, subscriptions });
      unhook.push(store.log.onAppended((entries) => appended.emit(store.name, entries)));
    },
    async start() {
      for (const { store, subscriptions } of members.values()) {
        for (const subscription of subscriptions) follow(store, subscription);
      }
      running.push(pruneAll(), ...follows.map(({ follower }) => follower.run()));
    },
    async stop(timeoutMs) {
      prunePace.stop();
      const settling = createPace(clock);
      // What one subscriber applies may be news to another: all must be settled at one look.
      for (const endMs = clock.now() + timeoutMs; clock.now() < endMs && !follows.every(isSettled); ) {
        await settling.sleep(SETTLE_POLL_MS);
      }
      for (const { pace } of follows) pace.stop();
      await Promise.all(running);
      for (const off of unhook) off();
    },
    broadcast(topic, message) {
      if (broadcasts.listenerCount(topic) === 0) return;
      // A copy on a later turn, as from another process.
      const text = JSON.stringify(message);
      setImmediate(() => deliver(topic, text));
    },
    onBroadcast(topic, listener) {
      broadcasts.on(topic, listener);
      return () => broadcasts.off(topic, listener);
    },
  };
}
