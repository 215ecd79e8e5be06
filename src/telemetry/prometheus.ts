import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from "prom-client";
import type { Distribution } from "../base/distribution.ts";
import type { MetricsPage } from "../http/metrics-route.ts";
import type { Counts, MetricSources } from "./metric-sources.ts";

type Labels = Readonly<Record<string, string | number>>;
/** A value of a metric, or several of a histogram. */
type Sample<T> = readonly [labels: Labels, value: T];

interface Description {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** Gauges whose names end as those of counters do, which Prometheus holds to be a mistake. */
const MISNAMED = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** Writes the metrics of a process in the text format of Prometheus; every value is read when the page is. */
export function createPrometheusPage(sources: MetricSources, counts: Counts): MetricsPage {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addTimeBefore(registry);
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  addRequests(registry, counts);
  addStores(registry, sources);
  addEvents(registry, sources);
  addBreakers(registry, sources);
  return { render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }) };
}

/** The counters of processor time begin when they are made; the page is made when it is first asked for. */
function addTimeBefore(registry: Registry): void {
  const { user, system } = process.cpuUsage();
  const before = { user, system, total: user + system };
  for (const [kind, micros] of Object.entries(before)) {
    const name = kind === "total" ? "process_cpu_seconds_total" : `process_cpu_${kind}_seconds_total`;
    (registry.getSingleMetric(name) as Counter).inc(micros / 1_000_000);
  }
}

function addRequests(registry: Registry, { requests, rateDecisions }: Counts): void {
  const answered = {
    name: "http_request_duration_seconds",
    help: "How long requests took to answer, by the template of their route",
  };
  addHistogram(registry, answered, () =>
    [...requests].flatMap(([service, stats]) =>
      [...stats.series()].map(({ method, route, status, seconds }): Sample<Distribution> => {
        return [{ service, method, route, status }, seconds];
      }),
    ),
  );
  const decided = {
    name: "quartet_rate_limit_decisions_total",
    help: "Requests that a rate limit has counted, by whether it let them in",
    labels: ["limit", "decision"],
  };
  addCounter(registry, decided, () =>
    [...rateDecisions].flatMap(([limit, { allowed, refused }]): Sample<number>[] => [
      [{ limit, decision: "allowed" }, allowed],
      [{ limit, decision: "refused" }, refused],
    ]),
  );
}

function addStores(registry: Registry, { stores }: MetricSources): void {
  const read = <T>(pick: (stats: ReturnType<MetricSources["stores"][number]["stats"]>) => T) => {
    return () => stores.map((store): Sample<T> => [{ module: store.name }, pick(store.stats())]);
  };
  addGauge(
    registry,
    { name: "quartet_store_queued_writes", help: "Units of work that wait for their commit", labels: ["module"] },
    read(({ queued }) => queued),
  );
  addHistogram(
    registry,
    { name: "quartet_store_commit_writes", help: "Units of work that were committed together" },
    read(({ commitSizes }) => commitSizes),
  );
  addHistogram(
    registry,
    { name: "quartet_store_commit_duration_seconds", help: "How long commits took, their sync included" },
    read(({ commitSeconds }) => commitSeconds),
  );
  addGauge(
    registry,
    { name: "quartet_dead_letters", help: "Events that a module could not apply", labels: ["module"] },
    read(({ deadLetters }) => deadLetters),
  );
}

function addEvents(registry: Registry, { bus }: MetricSources): void {
  const running = { name: "quartet_bus_running", help: "1 while the bus carries events", labels: ["kind"] };
  addGauge(registry, running, () => {
    const { kind, status } = bus.status();
    return [[{ kind }, status === "running" ? 1 : 0]];
  });
  const behind = {
    name: "quartet_log_backlog_events",
    help: "Events of a module that lives here which a subscriber has not told to have applied",
    labels: ["publisher", "subscriber"],
  };
  addGauge(registry, behind, async () => {
    const backlogs = await bus.backlogs().catch(() => []); // without Redis nobody knows how far the others are
    return backlogs.map(({ publisher, subscriber, rows }) => [{ publisher, subscriber }, rows]);
  });
}

function addBreakers(registry: Registry, { breakers }: MetricSources): void {
  const states = {
    name: "quartet_breaker_state",
    help: "1 for the state that the circuit breaker before a neighbour is in",
    labels: ["callee", "state"],
  };
  addGauge(registry, states, () =>
    [...breakers].flatMap(([callee, read]) => {
      const current = read();
      return (["closed", "half-open", "open"] as const).map((state): Sample<number> => {
        return [{ callee, state }, state === current ? 1 : 0];
      });
    }),
  );
}

function addGauge(
  registry: Registry,
  { name, help, labels }: Description,
  read: () => readonly Sample<number>[] | Promise<readonly Sample<number>[]>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    async collect() {
      const samples = await read();
      this.reset();
      for (const [sampleLabels, value] of samples) this.set(sampleLabels, value);
    },
  });
}

function addCounter(
  registry: Registry,
  { name, help, labels }: Description,
  read: () => readonly Sample<number>[],
): void {
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      for (const [sampleLabels, value] of read()) this.inc(sampleLabels, value);
    },
  });
}

/** A histogram that was filled elsewhere, which prom-client's own cannot be; its registry asks a metric for no more. */
function addHistogram(
  registry: Registry,
  { name, help }: Omit<Description, "labels">,
  read: () => readonly Sample<Distribution>[],
): void {
  const get = async () => ({ name, help, type: "histogram", values: read().flatMap(histogramValues) });
  registry.registerMetric({ name, get } as unknown as Metric);

  function histogramValues([labels, { bounds, counts, sum }]: Sample<Distribution>) {
    let count = 0;
    const buckets = counts.map((inBucket, index) => {
      count += inBucket;
      return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[index] ?? "+Inf" }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
