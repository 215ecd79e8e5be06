import type { Bus } from "../bus/bus.ts";
import type { BreakerState } from "../contract/http-client.ts";
import { RequestStats } from "../contract/request-stats.ts";
import type { MetricsPage } from "../gateway/metrics-route.ts";
import type { Store } from "../store/store.ts";

/** What is read, at each look at the metrics, from those who know it anyway. */
export interface MetricSources {
  /** Of the modules that live here. */
  readonly stores: readonly Pick<Store, "name" | "stats">[];
  readonly bus: Pick<Bus, "status" | "backlogs">;
  /** Of the modules that live elsewhere, by name. */
  readonly breakers: ReadonlyMap<string, () => BreakerState>;
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

export interface Metrics extends MetricsPage {
  /** Where the server of a service counts its requests. */
  requestsOf(service: string): RequestStats;
  countRateDecision(limit: string, allowed: boolean): void;
}

/** The metrics of this process. Until somebody asks for them they cost a few additions for each request. */
export function createMetrics(sources: MetricSources): Metrics {
  const requests = new Map<string, RequestStats>();
  const rateDecisions = new Map<string, RateDecisions>();
  let page: Promise<MetricsPage> | undefined;

  async function load(): Promise<MetricsPage> {
    const { createPrometheusPage } = await import("./prometheus.ts");
    return createPrometheusPage(sources, { requests, rateDecisions });
  }

  return {
    requestsOf(service) {
      const stats = requests.get(service) ?? new RequestStats();
      requests.set(service, stats);
      return stats;
    },
    countRateDecision(limit, allowed) {
      const decisions = rateDecisions.get(limit) ?? { allowed: 0, refused: 0 };
      decisions[allowed ? "allowed" : "refused"] += 1;
      rateDecisions.set(limit, decisions);
    },
    async render() {
      page ??= load();
      return (await page).render();
    },
  };
}
