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

interface Member {
  readonly store: Store;
  readonly subscriptions: readonly Subscription[];
  readonly unhook: () => void;
}

/** A subscription that is served. */
interface Link {
  readonly consumer: Consumer;
  end(): Promise<void>;
}

/** The bus of one process that holds all modules: committed rows are handed over by EventEmitter2. */
export function createMemoryBus(options: MemoryBusOptions): Bus {
  const { logger, faults, pruneWindowMs = DEFAULT_PRUNE_WINDOW_MS, clock = systemClock } = options;
  const appended = new EventEmitter2({ maxListeners: 0 });
  const broadcasts = createBroadcasts(logger);
  const members = new Map<string, Member>();
  const links = new Map<string, Link>();
  /** Publisher → how far each is that has ever subscribed: who has left needs the rows after that when it comes again. */
  const positions = new Map<string, Map<string, Position | undefined>>();
  const prunePace = createPace(clock);
  let isStarted = false;
  let pruning = Promise.resolve();

  /** Serves the subscriptions that are not served yet, and whose publisher is here. */
  function connectAll(): void {
    for (const { store, subscriptions } of members.values()) {
      for (const subscription of subscriptions) {
        const publisher = members.get(subscription.publisher)?.store;
        const key = `${store.name} to ${subscription.publisher}`;
        if (publisher !== undefined && !links.has(key)) links.set(key, connect(publisher, store, subscription));
      }
    }
  }

  function connect(publisher: Store, store: Store, subscription: Subscription): Link {
    const reported = positions.get(publisher.name) ?? new Map<string, Position | undefined>();
    positions.set(publisher.name, reported.set(store.name, reported.get(store.name)));
    const onReport = (name: string, position: Position) => reported.set(name, position);
    let current: LocalLog | undefined;
    const source = (pace: Pace) => {
      current = createLocalLog({ log: publisher.log, database: publisher.database, pace, onReport });
      return current;
    };
    const push = (entries: readonly LogEntry[]) => current?.push(entries);
    appended.on(publisher.name, push);
    const outage = createOutage({ what: `The subscription of ${store.name} to ${publisher.name}`, logger, clock });
    const create = () => createConsumer({ store, subscription, source, outage, faults, clock, logger });
    const consumer = createConsuming(store, create);
    const running = consumer.run();
    return {
      consumer,
      async end() {
        appended.off(publisher.name, push);
        consumer.stop();
        await running;
      },
    };
  }

  const consumers = () => Array.from(links.values(), ({ consumer }) => consumer);

  async function end(which: readonly (readonly [key: string, link: Link])[]): Promise<void> {
    await Promise.all(which.map(([, link]) => link.end()));
    for (const [key] of which) links.delete(key);
  }

  async function pruneOne(publisher: Store): Promise<void> {
    const reported = [...(positions.get(publisher.name)?.values() ?? [])];
    const below = await publisher.log.prunable(await lowestPosition(publisher.log, reported), pruneWindowMs);
    if (below > ((await publisher.log.floor()) ?? 0)) await publisher.log.prune(below);
  }

  function prune(): Promise<void> {
    const outage = createOutage({ what: "Pruning the logs", logger, clock });
    const step = async () => {
      for (const { store } of members.values()) await store.lease("prune", () => pruneOne(store));
      await prunePace.wait(Math.min(PRUNE_EVERY_MS, pruneWindowMs / 8));
    };
    return repeat(step, { pace: prunePace, onFailure: outage.failed, onSuccess: outage.worked });
  }

  async function positionsOf({ name, publisher }: Consumer): Promise<readonly Position[]> {
    const store = members.get(name)?.store;
    return (await store?.read((reading) => store.cursors.positions(reading, publisher))) ?? [];
  }

  /** Positions before heads: what one subscriber applies in between may be news to another. */
  async function areSettled(which: readonly Consumer[]): Promise<boolean> {
    const able = which.filter((consumer) => consumer.stalled() === undefined);
    const reached = await Promise.all(able.map(positionsOf));
    const heads = await Promise.all(able.map(({ publisher }) => members.get(publisher)?.store.log.head()));
    return heads.every(
      (head, index) =>
        head === undefined || reached[index]?.some(({ epoch, seq }) => epoch === head.epoch && seq >= head.seq),
    );
  }

  /** What one subscriber applies may be news to another: all must be settled at one look. */
  async function settle(which: readonly Consumer[], timeoutMs: number): Promise<void> {
    const settling = createPace(clock);
    for (const endMs = clock.now() + timeoutMs; clock.now() < endMs && !(await areSettled(which)); ) {
      await settling.sleep(SETTLE_POLL_MS);
    }
  }

  return {
    status() {
      const stall = describeStall(consumers());
      return stall === undefined
        ? { kind: "memory", status: "running" }
        : { kind: "memory", status: "degraded", detail: stall };
    },
    stalled: (module) => describeStall(consumers().filter(({ name }) => name === module)),
    async backlogs() {
      const all = consumers().map(async (consumer) => {
        const { publisher, name } = consumer;
        const log = members.get(publisher)?.store.log;
        const [position] = await positionsOf(consumer);
        return log === undefined ? [] : [{ publisher, subscriber: name, rows: await rowsAfter(log, position) }];
      });
      return (await Promise.all(all)).flat();
    },
    join(store, subscriptions) {
      const unhook = store.log.onAppended((entries) => appended.emit(store.name, entries));
      members.set(store.name, { store, subscriptions, unhook });
      if (isStarted) connectAll();
    },
    async leave(module, timeoutMs) {
      const own = [...links].filter(([, { consumer }]) => [consumer.name, consumer.publisher].includes(module));
      const hearing = own.map(([, { consumer }]) => consumer).filter(({ publisher }) => publisher === module);
      await settle(hearing, timeoutMs);
      await end(own);
      members.get(module)?.unhook();
      members.delete(module);
    },
    async start() {
      isStarted = true;
      connectAll();
      pruning = prune();
    },
    async stop(timeoutMs) {
      prunePace.stop();
      await settle(consumers(), timeoutMs);
      await end([...links]);
      await pruning;
      for (const { unhook } of members.values()) unhook();
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
