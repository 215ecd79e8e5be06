import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Fault } from "../contract/faults.ts";
import type { Store } from "../store/store.ts";
import { createBroadcasts, writeBroadcast } from "./broadcasts.ts";
import type { Backlog, Bus } from "./bus.ts";
import { systemClock } from "./clock.ts";
import { createOutage } from "./outage.ts";
import { createPace, type Pace } from "./pace.ts";
import { DEFAULT_PRUNE_WINDOW_MS, rowsAfter } from "./pruning.ts";
import { connectRedis } from "./redis-connection.ts";
import { createRedisReplica, createRedisSource } from "./redis-log.ts";
import { createRelay, type Relay } from "./relay.ts";
import { createSubscriber, describeStall, type Subscriber } from "./subscriber.ts";
import type { Subscription } from "./subscription.ts";

/** How often a bus that stops looks whether Redis has all. */
const SETTLE_POLL_MS = 2;

export interface RedisBusOptions {
  readonly url: string;
  readonly logger: Logger;
  /**
   * Who subscribes to whom in the whole system, wherever they run: publisher → names of its subscribers. A log is
   * never trimmed beyond one that is named here, even before it has run for the first time.
   */
  readonly subscribers: Readonly<Record<string, readonly string[]>>;
  /** Injected faults: poison by `<subscriber>:<event type>`. */
  readonly faults?: ReadonlyMap<string, Fault> | undefined;
  /** Set before all keys and channels: who shares one Redis and not a system needs one of their own. */
  readonly keyPrefix?: string;
  /** For how long rows are kept after everybody has applied them; see `EventLog.prunable`. */
  readonly pruneWindowMs?: number;
}

/**
 * The bus of modules in several processes: every log has a replica in a Redis stream. Redis may be absent, hang or lose
 * everything: a publisher's commit never waits for it, and what is lost there comes again from the logs.
 */
export function createRedisBus(options: RedisBusOptions): Bus {
  const { url, logger, subscribers: subscriberNames, faults, keyPrefix = "quartet:" } = options;
  const { pruneWindowMs = DEFAULT_PRUNE_WINDOW_MS } = options;
  const clock = systemClock;
  const channel = `${keyPrefix}broadcast`;
  const outage = createOutage({ what: "Redis", logger, clock });
  const broadcasts = createBroadcasts(logger);
  const connections: Redis[] = [];
  const relays: { relay: Relay; pace: Pace; unhook: () => void }[] = [];
  const subscribers: Subscriber[] = [];
  const subscribing: Promise<void>[] = [];
  const relaying: Promise<void>[] = [];
  const joined: { store: Store; subscriptions: readonly Subscription[] }[] = [];
  let commands: Redis | undefined;

  function connect(purpose: "commands" | "blocking"): Redis {
    const redis = connectRedis(url, purpose, outage);
    connections.push(redis);
    return redis;
  }

  function startRelay(store: Store, shared: Redis): void {
    const pace = createPace(clock);
    const replica = createRedisReplica({ keyPrefix, publisher: store.name, commands: shared });
    const names = subscriberNames[store.name] ?? [];
    const relay = createRelay({ log: store.log, replica, subscribers: names, pruneWindowMs, pace, clock, outage });
    relays.push({ relay, pace, unhook: store.log.onAppended(pace.wake) });
    relaying.push(relay.run());
  }

  function startSubscriber(store: Store, subscription: Subscription, shared: Redis): void {
    const { publisher } = subscription;
    const reader = connect("blocking");
    const source = () => createRedisSource({ keyPrefix, publisher, commands: shared, reader });
    const subscriber = createSubscriber({ store, subscription, source, outage, faults, clock, logger });
    subscribers.push({
      ...subscriber,
      stop: () => {
        subscriber.stop();
        reader.disconnect();
      },
    });
    subscribing.push(subscriber.run());
  }

  async function backlogsOf({ name: publisher, log }: Store): Promise<Backlog[]> {
    if (commands === undefined) throw new Error("the bus has not started");
    const { positions } = await createRedisReplica({ keyPrefix, publisher, commands }).reports();
    const names = subscriberNames[publisher] ?? [];
    return names.map((subscriber) => ({ publisher, subscriber, rows: rowsAfter(log, positions.get(subscriber)) }));
  }

  /** A connection that has subscribed can do nothing else. */
  function listenToBroadcasts(): void {
    const listener = connect("commands");
    listener.on("ready", () => listener.subscribe(channel).catch(outage.failed));
    listener.on("message", (_channel, text) => broadcasts.deliverText(text));
  }

  return {
    status() {
      const away = commands?.status === "ready" ? outage.reason() : (outage.reason() ?? "not connected");
      if (away !== undefined) return { kind: "redis", status: "down", detail: away };
      const stall = describeStall(subscribers);
      return stall === undefined
        ? { kind: "redis", status: "running" }
        : { kind: "redis", status: "degraded", detail: stall };
    },
    stalled: (module) => describeStall(subscribers.filter(({ name }) => name === module)),
    async backlogs() {
      const found = await Promise.all(joined.map(({ store }) => backlogsOf(store)));
      return found.flat();
    },
    join(store, subscriptions) {
      joined.push({ store, subscriptions });
    },
    async start() {
      commands = connect("commands");
      commands.on("ready", outage.worked);
      listenToBroadcasts();
      for (const { store, subscriptions } of joined) {
        startRelay(store, commands);
        for (const subscription of subscriptions) startSubscriber(store, subscription, commands);
      }
    },
    async stop(timeoutMs) {
      const endMs = clock.now() + timeoutMs;
      // Subscribers first: the last they apply may append to the logs that are relayed after it.
      for (const subscriber of subscribers) subscriber.stop();
      await Promise.all(subscribing);
      const settling = createPace(clock);
      const isBehind = () => outage.reason() === undefined && !relays.every(({ relay }) => relay.isCurrent());
      while (clock.now() < endMs && isBehind()) await settling.sleep(SETTLE_POLL_MS);
      for (const { pace, unhook } of relays) {
        unhook();
        pace.stop();
      }
      for (const redis of connections) redis.disconnect();
      await Promise.all(relaying);
    },
    broadcast(topic, message) {
      if (commands?.status !== "ready") return;
      commands.publish(channel, writeBroadcast(topic, message)).catch(() => undefined);
    },
    onBroadcast: broadcasts.on,
  };
}
