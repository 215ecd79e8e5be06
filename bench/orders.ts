import { parseArgs } from "node:util";
import { positive, positives, ROUNDS, topologyNames, UNTIL_WARM } from "./flags.ts";
import { interleave } from "./interleave.ts";
import { median } from "./quantile.ts";
import { type Measured, type Shop, withShops } from "./shop.ts";
import { cpuCells, latency, ratio, table } from "./table.ts";

/**
 * POST /orders under load in several topologies, interleaved in one run, because absolute figures drift from minute to minute
 * and only what ran side by side can be compared. With `--ask looks` it is GET /products/{id}.
 *
 *     node bench/orders.ts --topologies bare,one --connections 32 --rounds 9 --seconds 1.5
 *
 * With `--sync-delay 2` each sync to the disk takes two milliseconds longer. `--beside` names those that the others are compared
 * with, by default the first. Figures are medians over the rounds, latencies are over all requests; a ratio is the median of the
 * rounds' own ratios, with the interval in which it lies with 95 %.
 */

const { values: flags } = parseArgs({
  options: {
    ...ROUNDS,
    warmup: UNTIL_WARM,
    topologies: { type: "string", default: "bare,one" },
    beside: { type: "string" },
    ask: { type: "string", default: "orders" },
    connections: { type: "string", default: "32" },
    "sync-delay": { type: "string", default: "0" },
  },
});
const kind = flags.ask === "looks" ? "looks" : "orders";
const names = topologyNames(flags.topologies);
const references = topologyNames(flags.beside ?? names[0] ?? "");
const durationMs = positive("seconds", flags.seconds) * 1_000;
const openings = names.map((topology) => ({ topology, syncDelayMs: Number(flags["sync-delay"]) }));

await withShops(openings, async (shops) => {
  for (const shop of shops) await shop.measure(kind, { connections: 32 }, positive("warmup", flags.warmup) * 1_000);
  for (const connections of positives("connections", flags.connections)) {
    const measure = (shop: Shop) => shop.measure(kind, { connections }, durationMs);
    const measured = await interleave(shops, positive("rounds", flags.rounds), measure);
    console.log(`${connections} connection${connections === 1 ? "" : "s"}:\n\n${tableOf(measured)}\n`);
  }
});

/** @param results of each topology, in the order of their names */
function tableOf(results: readonly (readonly Measured[])[]): string {
  const rates = results.map((rounds) => rounds.map(({ perSecond }) => perSecond));
  const rows = results.map((rounds, at) => {
    const latencies = rounds.flatMap(({ latenciesMs }) => latenciesMs);
    return [
      names[at] ?? "",
      median(rates[at] ?? []).toFixed(0),
      latency(latencies, 0.5).toFixed(2),
      latency(latencies, 0.99).toFixed(2),
      ...references.map((name) => ratio(rates[at] ?? [], rates[names.indexOf(name)] ?? [])),
      ...cpuCells(rounds),
    ];
  });
  const besides = references.map((name) => `÷ ${name}`);
  return table([["", `${kind}/s`, "p50 ms", "p99 ms", ...besides, "CPU µs each", "of which"], ...rows]);
}
