import type { Store } from "../store/store.ts";
import type { Subscription } from "./subscription.ts";

/** The name of a deployment that tells none. */
export const UNNAMED_DEPLOYMENT = "unnamed";

/**
 * Carries every module's log to those that subscribe to it. Delivery is at least once and in order per
 * publisher; the cursor in the subscriber's own database makes it exactly once in effect. A subscriber never
 * delays its publisher.
 */
export interface Bus {
  /** Which technology carries the events, and whether it works now. */
  status(): BusStatus;
  /** Why a module that lives here cannot apply events, which wait; undefined while it can. */
  stalled(module: string): string | undefined;
  /** How far subscribers are behind the logs of the modules that live here. @throws when it cannot be known now */
  backlogs(): Promise<Backlog[]>;
  /** Adds a module that lives in this process: its log is published, its subscriptions are served, as soon as the bus has started. */
  join(store: Store, subscriptions: readonly Subscription[]): void;
  /**
   * Ends what `join` began, as of a module that closes while the others go on: what is under way for it is applied, and its log is carried
   * as far as it gets within `timeoutMs`. Nothing happens for a module that is not there.
   */
  leave(module: string, timeoutMs: number): Promise<void>;
  /** Starts delivery; what was committed and not yet applied comes first. Never waits for a remote part to be there. */
  start(): Promise<void>;
  /** Carries what is committed as far as it gets within `timeoutMs`, then stops. */
  stop(timeoutMs: number): Promise<void>;
  /** Tells everybody, in every process, best effort: nothing is stored and nobody waits. */
  broadcast(topic: string, message: unknown): void;
  /** Listens to broadcasts. Returns the way to stop it. */
  onBroadcast(topic: string, listener: (message: unknown) => void): () => void;
}

/** What a subscriber, wherever it lives, has not applied yet, as far as it has told. */
export interface Backlog {
  readonly publisher: string;
  readonly subscriber: string;
  readonly rows: number;
}

export interface BusStatus {
  readonly kind: "memory" | "redis";
  readonly status: "running" | "degraded" | "down";
  /** Why it is not running. */
  readonly detail?: string;
}
