import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Distribution } from "../base/distribution.ts";
import type { MetricsPage } from "../http/metrics-route.ts";
import type { Counts, MetricSources } from "./metric-sources.ts";

type StoreStats = ReturnType<ReturnType<MetricSources["stores"]>[number]["stats"]>;
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
  addRateDecisions(registry, counts);
  addStores(registry, sources);
  addEvents(registry, sources);
  addBreakers(registry, sources);
  return {
    async render() {
      const texts = [await registry.metrics(), requestHistogram(counts), ...storeHistograms(sources)];
      return { contentType: registry.contentType, text: texts.join("\n") };
    },
  };
}

/** The counters of processor time begin when they are made; the page is made when it is first asked for. */
function addTimeBefore(registry: Registry): void {
  const { user, system } = process.cpuUsage();
  const before = { user, system, total: user + system };
  for (const [kind, micros] of Object.entries(before)) {
    const name = kind === "total" ? "process_cpu_seconds_total" : `process_cpu_${kind}_seconds_total`;
    const counter = registry.getSingleMetric(name);
    if (counter instanceof Counter) counter.inc(micros / 1_000_000);
  }
}

function addRateDecisions(registry: Registry, { rateDecisions }: Counts): void {
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
  const read = (pick: (stats: StoreStats) => number) => {
    return () => stores().map((store): Sample<number> => [{ module: store.name }, pick(store.stats())]);
  };
  addGauge(
    registry,
    { name: "quartet_store_queued_writes", help: "Units of work that wait for their commit", labels: ["module"] },
    read(({ queued }) => queued),
  );
  addGauge(
    registry,
    { name: "quartet_dead_letters", help: "Events that a module could not apply", labels: ["module"] },
    () =>
      Promise.all(
        stores().map(async ({ name, cursors }): Promise<Sample<number>> => {
          return [{ module: name }, await cursors.countDeadLetters()];
        }),
      ),
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
    help: "1 for the state that the circuit breaker before an address of a neighbour is in",
    labels: ["callee", "address", "state"],
  };
  addGauge(registry, states, () =>
    [...breakers()].flatMap(([callee, states]) =>
      [...states].flatMap(([address, current]) =>
        (["closed", "half-open", "open"] as const).map((state): Sample<number> => {
          return [{ callee, address, state }, state === current ? 1 : 0];
        }),
      ),
    ),
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

function requestHistogram({ requests }: Counts): string {
  return histogramText(
    "http_request_duration_seconds",
    "How long requests took to answer, by the template of their route",
    [...requests].flatMap(([service, stats]) =>
      [...stats.series()].map(({ method, route, status, seconds }): Sample<Distribution> => {
        return [{ service, method, route, status }, seconds];
      }),
    ),
  );
}

function storeHistograms({ stores }: MetricSources): string[] {
  const read = (pick: (stats: StoreStats) => Distribution) =>
    stores().map((store): Sample<Distribution> => [{ module: store.name }, pick(store.stats())]);
  return [
    histogramText(
      "quartet_store_commit_writes",
      "Units of work that were committed together",
      read(({ commitSizes }) => commitSizes),
    ),
    histogramText(
      "quartet_store_commit_duration_seconds",
      "How long commits took, their sync included",
      read(({ commitSeconds }) => commitSeconds),
    ),
  ];
}

/** Histograms that were filled elsewhere, which prom-client's own cannot be. */
function histogramText(name: string, help: string, samples: readonly Sample<Distribution>[]): string {
  const lines = samples.flatMap(([labels, { bounds, counts, sum }]) => {
    let count = 0;
    const buckets = counts.map((inBucket, index) => {
      count += inBucket;
      return `${name}_bucket${labelsText({ ...labels, le: bounds[index] ?? "+Inf" })} ${count}`;
    });
    return [...buckets, `${name}_sum${labelsText(labels)} ${sum}`, `${name}_count${labelsText(labels)} ${count}`];
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, ""].join("\n");
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format: JSON escapes a label as it wants it. */
function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(String(value))}`);
  return `{${pairs.join(",")}}`;
}
