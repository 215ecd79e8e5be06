import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { systemClock } from "../../base/clock.ts";
import { createOutage, type Outage } from "../../base/outage.ts";
import { createPace } from "../../base/pace.ts";
import type { Fault } from "../../call/faults.ts";
import type { Store } from "../../store/store.ts";
import { createBroadcasts, writeBroadcast } from "../broadcasts.ts";
import { type Backlog, type Bus, UNNAMED_DEPLOYMENT } from "../bus.ts";
import { type Consumer, createConsumer, describeStall } from "../follow/consumer.ts";
import { createConsuming } from "../follow/consuming.ts";
import { DEFAULT_PRUNE_WINDOW_MS, rowsAfter } from "../pruning.ts";
import { createRelay } from "../relay.ts";
import { type Relaying, startRelaying } from "../relaying.ts";
import type { Subscription } from "../subscription.ts";
import { connectRedis } from "./connection.ts";
import { createLease, type Lease, type LeaseOptions, NotHeld } from "./lease.ts";
import { createRedisReplica, createRedisSource } from "./log.ts";
import { createScripts } from "./scripts.ts";
import { requireVersion } from "./version.ts";

const DEPLOYMENT_UNKNOWN = "events wait until users tells which deployment this is";

/** How soon to try again to listen to broadcasts; longer than a command may take. */
const SUBSCRIBE_AGAIN_MS = 2_000;

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
  /**
   * Names the deployment that this process is part of: the same in all of its processes, and another in those of a copy. Undefined
   * while it is not known yet; no event goes anywhere then.
   */
  readonly deployment?: () => string | undefined;
  /** For how long rows are kept after everybody has applied them; see `EventLog.prunable`. */
  readonly pruneWindowMs?: number;
}

interface HeldLease extends Lease {
  end(): Promise<void>;
}

interface RunningConsumer extends Consumer {
  end(): Promise<void>;
}

/** A module that lives in this process, and what serves it once the bus has started. */
interface Joined {
  readonly store: Store;
  readonly subscriptions: readonly Subscription[];
  readonly running:
    | { readonly lease: HeldLease; readonly relay: Relaying; readonly consumers: readonly RunningConsumer[] }
    | undefined;
}

/**
 * The bus of modules in several processes: every log has a replica in a Redis stream. Redis may be absent, hang or lose
 * everything: a publisher's commit never waits for it, and what is lost there comes again from the logs.
 */
export function createRedisBus(options: RedisBusOptions): Bus {
  const { url, logger, subscribers, faults, keyPrefix = "quartet:" } = options;
  const { pruneWindowMs = DEFAULT_PRUNE_WINDOW_MS, deployment = () => UNNAMED_DEPLOYMENT } = options;
  const clock = systemClock;
  /** Each topic has a channel of its own: who does not listen is not woken. */
  const channelOf = (topic: string) => `${keyPrefix}broadcast:${topic}`;
  const outage = createOutage({ what: "Redis", logger, clock });
  const broadcasts = createBroadcasts(logger);
  const connections = new Set<Redis>();
  const joined = new Map<string, Joined>();
  let commands: Redis | undefined;
  let place: HeldLease | undefined;
  /** Listens to the topics that somebody listens to by now. */
  let subscribe = () => {};

  function connect(purpose: "commands" | "blocking"): Redis {
    const redis = connectRedis(url, purpose, {
      outage: outage.part(),
      onDemoted: () => reconnectOthers(redis),
    });
    connections.add(redis);
    return redis;
  }

  /** They lead to the same Redis, and may not notice by themselves: a replica can be read. */
  function reconnectOthers(redis: Redis): void {
    for (const other of connections) if (other !== redis && other.status === "ready") other.disconnect(true);
  }

  /** Being kept out is told by the lease. */
  function outageOfLoop(): Outage {
    const part = outage.part();
    return { ...part, failed: (error) => void (error instanceof NotHeld || part.failed(error)) };
  }

  function startLease(own: Pick<LeaseOptions, "key" | "what" | "holder" | "isShared">, shared: Redis): HeldLease {
    const pace = createPace(clock);
    const evaluate = createScripts(shared);
    const lease = createLease({ ...own, evaluate, keyPrefix, pace, clock, outage: outage.part(), logger });
    const running = lease.run();
    return {
      ...lease,
      async end() {
        pace.stop();
        await running;
      },
    };
  }

  /** The place of the whole deployment; those of its modules are taken only by who has it. */
  function startPlace(shared: Redis): HeldLease {
    return startLease({ key: "holder", what: "deployment", holder: deployment, isShared: true }, shared);
  }

  function startModuleLease({ name, seat }: Store, place: Lease, shared: Redis): HeldLease {
    const holder = () => (place.isHeld() ? seat : undefined);
    const own = startLease({ key: `holder:${name}`, what: `database of ${name}`, holder }, shared);
    return { ...own, guard: (target) => place.guard(own.guard(target)) };
  }

  function startRelay(store: Store, lease: Lease, shared: Redis): Relaying {
    const replica = lease.guard(createRedisReplica({ keyPrefix, publisher: store.name, commands: shared }));
    const names = subscribers[store.name] ?? [];
    const looks = { pruneWindowMs, clock, outage: outageOfLoop() };
    return startRelaying(store, clock, (pace) =>
      createRelay({ log: store.log, database: store.database, replica, subscribers: names, pace, ...looks }),
    );
  }

  function startConsumer(store: Store, subscription: Subscription, lease: Lease, shared: Redis): RunningConsumer {
    const { publisher } = subscription;
    const reader = connect("blocking");
    const source = () => lease.guard(createRedisSource({ keyPrefix, publisher, commands: shared, reader }));
    const told = { outage: outageOfLoop(), logger };
    const create = () => createConsumer({ store, subscription, source, faults, clock, ...told });
    const consumer = createConsuming(store, create);
    const running = consumer.run();
    return {
      ...consumer,
      async end() {
        consumer.stop();
        reader.disconnect();
        connections.delete(reader);
        await running;
      },
    };
  }

  function begin({ store, subscriptions }: Pick<Joined, "store" | "subscriptions">, shared: Redis): void {
    place ??= startPlace(shared);
    const lease = startModuleLease(store, place, shared);
    const relay = startRelay(store, lease, shared);
    const consumers = subscriptions.map((subscription) => startConsumer(store, subscription, lease, shared));
    joined.set(store.name, { store, subscriptions, running: { lease, relay, consumers } });
  }

  /** Subscribers first, of all of them: the last they apply may append to the logs that are relayed after it. */
  async function end(members: readonly Joined[], timeoutMs: number): Promise<void> {
    const endMs = clock.now() + timeoutMs;
    const running = members.flatMap((member) => member.running ?? []);
    await Promise.all(running.flatMap(({ consumers }) => consumers.map((consumer) => consumer.end())));
    const settling = createPace(clock);
    const areCurrent = async () => (await Promise.all(running.map(({ relay }) => relay.isCurrent()))).every(Boolean);
    const isBehind = async () => outage.reason() === undefined && !(await areCurrent());
    while (clock.now() < endMs && (await isBehind())) await settling.sleep(SETTLE_POLL_MS);
    await Promise.all(running.map(({ relay }) => relay.stop()));
    await Promise.all(running.map(({ lease }) => lease.end()));
  }

  const consumers = () => [...joined.values()].flatMap(({ running }) => running?.consumers ?? []);

  const leases = () => [place, ...Array.from(joined.values(), ({ running }) => running?.lease)];

  function stallOfBus(): string | undefined {
    return joined.size > 0 && deployment() === undefined ? DEPLOYMENT_UNKNOWN : describeStall(consumers());
  }

  async function backlogsOf({ name: publisher, log }: Store): Promise<Backlog[]> {
    if (commands === undefined) throw new Error("the bus has not started");
    const { positions } = await createRedisReplica({ keyPrefix, publisher, commands }).reports();
    const names = subscribers[publisher] ?? [];
    return Promise.all(
      names.map(async (subscriber): Promise<Backlog> => {
        return { publisher, subscriber, rows: await rowsAfter(log, positions.get(subscriber)) };
      }),
    );
  }

  /** It is looked at whenever a connection is made: another server may stand at the address. */
  function checkVersion(redis: Redis): void {
    const part = outage.part();
    const check = () => redis.info("server").then(requireVersion).then(part.worked, part.failed);
    redis.on("ready", () => void check());
  }

  /** A connection that has subscribed can do nothing else. What keeps it from that may pass while it stays connected. */
  function listenToBroadcasts(): void {
    const listener = connect("commands");
    const subscribing = outage.part();
    let cancel = () => {};
    subscribe = () => {
      cancel();
      const channels = broadcasts.topics().map(channelOf);
      if (listener.status !== "ready" || channels.length === 0) return;
      const cancelAgain = clock.after(SUBSCRIBE_AGAIN_MS, subscribe);
      cancel = cancelAgain;
      listener.subscribe(...channels).then(() => {
        cancelAgain();
        subscribing.worked();
      }, subscribing.failed);
    };
    listener.on("ready", subscribe);
    listener.on("message", (_channel, text) => broadcasts.deliverText(text));
  }

  return {
    status() {
      const away = commands?.status === "ready" ? outage.reason() : (outage.reason() ?? "not connected");
      if (away !== undefined) return { kind: "redis", status: "down", detail: away };
      const conflicts = leases().flatMap((lease) => lease?.conflict() ?? []);
      const conflict = conflicts.find(({ isKeptOut }) => isKeptOut) ?? conflicts[0];
      if (conflict !== undefined) {
        return { kind: "redis", status: conflict.isKeptOut ? "down" : "degraded", detail: conflict.detail };
      }
      const stall = stallOfBus();
      return stall === undefined
        ? { kind: "redis", status: "running" }
        : { kind: "redis", status: "degraded", detail: stall };
    },
    stalled: (module) => describeStall(consumers().filter(({ name }) => name === module)),
    async backlogs() {
      const found = await Promise.all(Array.from(joined.values(), ({ store }) => backlogsOf(store)));
      return found.flat();
    },
    join(store, subscriptions) {
      const member = { store, subscriptions, running: undefined };
      joined.set(store.name, member);
      if (commands !== undefined) begin(member, commands);
    },
    async leave(module, timeoutMs) {
      const member = joined.get(module);
      if (member === undefined) return;
      await end([member], timeoutMs);
      joined.delete(module);
    },
    async start() {
      commands = connect("commands");
      checkVersion(commands);
      listenToBroadcasts();
      for (const member of joined.values()) begin(member, commands);
    },
    async stop(timeoutMs) {
      await end([...joined.values()], timeoutMs);
      await place?.end();
      for (const redis of connections) redis.disconnect();
    },
    broadcast(topic, message) {
      if (commands?.status !== "ready") return;
      commands.publish(channelOf(topic), writeBroadcast(topic, message)).catch(() => undefined);
    },
    onBroadcast(topic, listener) {
      const isNew = !broadcasts.hasListeners(topic);
      const off = broadcasts.on(topic, listener);
      if (isNew) subscribe();
      return off;
    },
  };
}
