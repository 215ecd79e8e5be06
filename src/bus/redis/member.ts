import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Clock } from "../../base/clock.ts";
import type { OutagePart, SharedOutage } from "../../base/outage.ts";
import { createPace } from "../../base/pace.ts";
import type { Fault } from "../../call/faults.ts";
import type { Store } from "../../store/store.ts";
import { type Consumer, createConsumer } from "../follow/consumer.ts";
import { createConsuming } from "../follow/consuming.ts";
import { createRelay } from "../relay.ts";
import { type Relaying, startRelaying } from "../relaying.ts";
import type { Subscription } from "../subscription.ts";
import { createLease, type Lease, type LeaseOptions, NotHeld } from "./lease.ts";
import { createRedisReplica, createRedisSource } from "./log.ts";
import type { Part } from "./part.ts";
import { Patience } from "./patience.ts";
import { createScripts } from "./scripts.ts";

export type HeldLease = Lease & Part;
export type RunningRelay = Pick<Relaying, "isCurrent"> & Part;
export type RunningConsumer = Consumer & Part;

/** What serves a module that lives in this process. */
export interface Member {
  readonly store: Store;
  readonly lease: HeldLease;
  readonly relay: RunningRelay;
  readonly consumers: readonly RunningConsumer[];
}

export interface Surroundings {
  readonly keyPrefix: string;
  /** For commands, which all share. */
  readonly commands: Redis;
  /** Makes a connection for blocking reads. */
  connectReader(): Redis;
  disconnect(reader: Redis): void;
  /** Of Redis. */
  readonly outage: SharedOutage;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface MemberOptions {
  readonly store: Store;
  readonly subscriptions: readonly Subscription[];
  /** Who subscribes to it, wherever they run. */
  readonly subscribers: readonly string[];
  /** That of the deployment: the module has one only while that is held. */
  readonly place: Lease;
  readonly pruneWindowMs: number;
  readonly faults: ReadonlyMap<string, Fault> | undefined;
}

/** Takes the place of a module, relays its log, and applies what it hears. */
export function startMember(options: MemberOptions, surroundings: Surroundings): Member {
  const { store, subscriptions } = options;
  const lease = startModuleLease(options, surroundings);
  const relay = startRelay(options, lease, surroundings);
  const consumers = subscriptions.map((each) => startConsumer(options, each, lease, surroundings));
  return { store, lease, relay, consumers };
}

/** Takes a place, and keeps it until it ends. */
export function startLease(
  own: Pick<LeaseOptions, "key" | "what" | "holder" | "isShared">,
  { keyPrefix, commands, outage: shared, clock, logger }: Surroundings,
): HeldLease {
  const pace = createPace(clock);
  const patience = new Patience();
  const outage = shared.part();
  const evaluate = patience.of(createScripts(commands));
  const lease = createLease({ ...own, evaluate, keyPrefix, pace, clock, outage, logger });
  const running = lease.run();
  return {
    ...lease,
    async end() {
      pace.stop();
      await running;
      outage.end();
    },
    abandon: () => patience.end(),
  };
}

function startModuleLease({ store: { name, seat }, place }: MemberOptions, surroundings: Surroundings): HeldLease {
  const holder = () => (place.isHeld() ? seat : undefined);
  const own = startLease({ key: `holder:${name}`, what: `database of ${name}`, holder }, surroundings);
  return { ...own, guard: (target) => place.guard(own.guard(target)) };
}

function startRelay(
  { store, subscribers, pruneWindowMs }: MemberOptions,
  lease: Lease,
  { keyPrefix, commands, outage: shared, clock }: Surroundings,
): RunningRelay {
  const patience = new Patience();
  const outage = shared.part();
  const replica = patience.guard(lease.guard(createRedisReplica({ keyPrefix, publisher: store.name, commands })));
  const { log, database } = store;
  const relay = startRelaying(store, clock, (pace) =>
    createRelay({ log, database, replica, subscribers, pace, pruneWindowMs, clock, outage: ofLoop(outage) }),
  );
  return {
    isCurrent: () => relay.isCurrent(),
    async end() {
      await relay.stop();
      outage.end();
    },
    abandon: () => patience.end(),
  };
}

function startConsumer(
  { store, faults }: MemberOptions,
  subscription: Subscription,
  lease: Lease,
  { keyPrefix, commands, connectReader, disconnect, outage: shared, clock, logger }: Surroundings,
): RunningConsumer {
  const patience = new Patience();
  const outage = shared.part();
  const reader = connectReader();
  const keys = { keyPrefix, publisher: subscription.publisher };
  const source = () => patience.guard(lease.guard(createRedisSource({ ...keys, commands, reader })));
  const create = () => createConsumer({ store, subscription, source, faults, clock, logger, outage: ofLoop(outage) });
  const consumer = createConsuming(store, create);
  const running = consumer.run();
  return {
    ...consumer,
    async end() {
      consumer.stop();
      disconnect(reader);
      await running;
      outage.end();
    },
    abandon: () => patience.end(),
  };
}

/** Being kept out is told by the lease. */
function ofLoop(outage: OutagePart): OutagePart {
  return { ...outage, failed: (error) => void (error instanceof NotHeld || outage.failed(error)) };
}
