import type { MetricsPage } from "../http/metrics-route.ts";
import { RequestStats } from "../http/request-stats.ts";
import type { MetricSources, RateDecisions } from "./metric-sources.ts";

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
