import type { Bus } from "../bus/bus.ts";
import type { BreakerState } from "../call/breaker.ts";
import type { RequestStats } from "../http/request-stats.ts";
import type { Store } from "../store/store.ts";

/** What is read, at each look at the metrics, from those who know it anyway. */
export interface MetricSources {
  /** Of the modules that live here now. */
  readonly stores: () => readonly Pick<Store, "name" | "stats" | "cursors">[];
  readonly bus: Pick<Bus, "status" | "backlogs">;
  /** Of the modules that live elsewhere, by name, and of each by its addresses. */
  readonly breakers: () => ReadonlyMap<string, ReadonlyMap<string, BreakerState>>;
}

/** How often a rate limit let a request in, and how often not. */
export interface RateDecisions {
  allowed: number;
  refused: number;
}

/** What a process counts by itself, since nobody else does. */
export interface Counts {
  readonly requests: ReadonlyMap<string, RequestStats>;
  readonly rateDecisions: ReadonlyMap<string, RateDecisions>;
}
