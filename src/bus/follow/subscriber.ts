import type { Logger } from "pino";
import type { Clock } from "../../base/clock.ts";
import type { Outage } from "../../base/outage.ts";
import { createPace, type Pace } from "../../base/pace.ts";
import type { Fault } from "../../call/faults.ts";
import type { Store } from "../../store/store.ts";
import type { LogSource } from "../log-source.ts";
import type { Subscription } from "../subscription.ts";
import { createConsumer } from "./consumer.ts";
import { createFollower, type Follower } from "./follower.ts";
import { withPoison } from "./poison.ts";

export interface SubscriberOptions {
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
  /** The most events in one transaction. */
  readonly groupSize?: number;
}

/** One subscription of a module in this process. */
export interface Subscriber extends Follower {
  readonly name: string;
  readonly publisher: string;
  stop(): void;
}

/** Puts together what serves one subscription, the same for every bus. */
export function createSubscriber(options: SubscriberOptions): Subscriber {
  const { store, source, outage, faults, clock, logger } = options;
  const sizes = options.groupSize === undefined ? undefined : { groupSize: options.groupSize };
  const pace = createPace(clock);
  const subscription = withPoison(store.name, options.subscription, faults);
  const { publisher } = subscription;
  const consumer = createConsumer({ store, subscription, pace, clock, logger, ...sizes });
  const following = { publisher, store, source: source(pace), consumer };
  const follower = createFollower({ ...following, pace, clock, outage, logger, ...sizes });
  return { ...follower, name: store.name, publisher, stop: pace.stop };
}

/** Says which subscription cannot go on, undefined when all can. */
export function describeStall(subscribers: readonly Subscriber[]): string | undefined {
  return subscribers.map((subscriber) => subscriber.stalled()).find((stall) => stall !== undefined);
}
