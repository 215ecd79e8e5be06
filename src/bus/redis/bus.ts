import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { systemClock } from "../../base/clock.ts";
import { createOutage, type OutagePart } from "../../base/outage.ts";
import { createPace } from "../../base/pace.ts";
import type { Fault } from "../../call/faults.ts";
import type { Store } from "../../store/store.ts";
import { createBroadcasts, writeBroadcast } from "../broadcasts.ts";
import { type Backlog, type Bus, UNNAMED_DEPLOYMENT } from "../bus.ts";
import { describeStall } from "../follow/consumer.ts";
import { DEFAULT_PRUNE_WINDOW_MS, rowsAfter } from "../pruning.ts";
import type { Subscription } from "../subscription.ts";
import { connectRedis } from "./connection.ts";
import { listenToChannels } from "./listening.ts";
import { createRedisReplica } from "./log.ts";
import { type HeldLease, type Member, type Surroundings, startLease, startMember } from "./member.ts";
import { endAll } from "./part.ts";
import { requireVersion } from "./version.ts";

const DEPLOYMENT_UNKNOWN = "events wait until users tells which deployment this is";

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

/** A module that lives in this process, and what serves it once the bus has started. */
interface Joined {
  readonly store: Store;
  readonly subscriptions: readonly Subscription[];
  readonly member: Member | undefined;
}

/**
 * The bus of modules in several processes: every log has a replica in a Redis stream. Redis may be absent, hang or lose
 * everything: a publisher's commit never waits for it, and what is lost there comes again from the logs.
 */
export function createRedisBus(options: RedisBusOptions): Bus {
  const { url, logger, subscribers, faults, keyPrefix = "quartet:" } = options;
  const { pruneWindowMs = DEFAULT_PRUNE_WINDOW_MS, deployment = () => UNNAMED_DEPLOYMENT } = options;
  const clock = systemClock;
  const outage = createOutage({ what: "Redis", logger, clock });
  const broadcasts = createBroadcasts(logger);
  const connections = new Map<Redis, OutagePart>();
  const joined = new Map<string, Joined>();
  let surroundings: Surroundings | undefined;
  let place: HeldLease | undefined;
  /** Listens to the topics that somebody listens to by now. */
  let subscribe = () => {};

  function connect(purpose: "commands" | "blocking"): Redis {
    const part = outage.part();
    const redis = connectRedis(url, purpose, { outage: part, onDemoted: () => reconnectOthers(redis) });
    connections.set(redis, part);
    return redis;
  }

  function disconnect(redis: Redis): void {
    redis.disconnect();
    connections.get(redis)?.end();
    connections.delete(redis);
  }

  /** They lead to the same Redis, and may not notice by themselves: a replica can be read. */
  function reconnectOthers(redis: Redis): void {
    for (const other of connections.keys()) if (other !== redis && other.status === "ready") other.disconnect(true);
  }

  /** The place of the whole deployment; those of its modules are taken only by who has it. */
  function startPlace(shared: Surroundings): HeldLease {
    return startLease({ key: "holder", what: "deployment", holder: deployment, isShared: true }, shared);
  }

  function begin({ store, subscriptions }: Pick<Joined, "store" | "subscriptions">, shared: Surroundings): void {
    place ??= startPlace(shared);
    const own = { store, subscriptions, subscribers: subscribers[store.name] ?? [] };
    const member = startMember({ ...own, place, pruneWindowMs, faults }, shared);
    joined.set(store.name, { store, subscriptions, member });
  }

  /** Subscribers first, of all of them: the last they apply may append to the logs that are relayed after it. */
  async function end(members: readonly Member[], timeoutMs: number): Promise<void> {
    const endMs = clock.now() + timeoutMs;
    const patience = { outage, clock, endMs };
    await endAll(
      members.flatMap(({ consumers }) => consumers),
      patience,
    );
    const settling = createPace(clock);
    const areCurrent = async () => (await Promise.all(members.map(({ relay }) => relay.isCurrent()))).every(Boolean);
    const isBehind = async () => outage.reason() === undefined && !(await areCurrent());
    while (clock.now() < endMs && (await isBehind())) await settling.sleep(SETTLE_POLL_MS);
    await endAll(
      members.map(({ relay }) => relay),
      patience,
    );
    await endAll(
      members.map(({ lease }) => lease),
      patience,
    );
  }

  const members = () => Array.from(joined.values(), ({ member }) => member).filter((member) => member !== undefined);

  const consumers = () => members().flatMap((member) => member.consumers);

  const leases = () => [place, ...members().map(({ lease }) => lease)];

  function stallOfBus(): string | undefined {
    return joined.size > 0 && deployment() === undefined ? DEPLOYMENT_UNKNOWN : describeStall(consumers());
  }

  async function backlogsOf({ name: publisher, log }: Store): Promise<Backlog[]> {
    if (surroundings === undefined) throw new Error("the bus has not started");
    const { commands } = surroundings;
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

  /** Each topic has a channel of its own: who does not listen is not woken. */
  const channelOf = (topic: string) => `${keyPrefix}broadcast:${topic}`;

  return {
    status() {
      const away = surroundings?.commands.status === "ready" ? outage.reason() : (outage.reason() ?? "not connected");
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
      joined.set(store.name, { store, subscriptions, member: undefined });
      if (surroundings !== undefined) begin({ store, subscriptions }, surroundings);
    },
    async leave(module, timeoutMs) {
      const member = joined.get(module)?.member;
      if (member !== undefined) await end([member], timeoutMs);
      joined.delete(module);
    },
    async start() {
      const commands = connect("commands");
      checkVersion(commands);
      subscribe = listenToChannels({
        connection: connect("commands"),
        channels: () => broadcasts.topics().map(channelOf),
        deliver: broadcasts.deliverText,
        outage: outage.part(),
        clock,
      });
      surroundings = {
        keyPrefix,
        commands,
        connectReader: () => connect("blocking"),
        disconnect,
        outage,
        clock,
        logger,
      };
      for (const each of joined.values()) begin(each, surroundings);
    },
    async stop(timeoutMs) {
      const endMs = clock.now() + timeoutMs;
      await end(members(), timeoutMs);
      if (place !== undefined) await endAll([place], { outage, clock, endMs });
      for (const redis of connections.keys()) redis.disconnect();
    },
    broadcast(topic, message) {
      if (surroundings?.commands.status !== "ready") return;
      surroundings.commands.publish(channelOf(topic), writeBroadcast(topic, message)).catch(() => undefined);
    },
    onBroadcast(topic, listener) {
      const isNew = !broadcasts.hasListeners(topic);
      const off = broadcasts.on(topic, listener);
      if (isNew) subscribe();
      return off;
    },
  };
}
