import { parseArgs } from "node:util";
import { positive, ROUNDS, topologyNames } from "./flags.ts";
import { interleave } from "./interleave.ts";
import { type Kind, type Measured, type Shop, withShops } from "./shop.ts";
import { cpuCells, latency, ratio, table } from "./table.ts";

/**
 * What somebody waits who orders while hardly anybody else does: so many orders a second, each at its time. How long it takes to the
 * 201, and, in stretches of their own, until GET /orders/{id} with `Prefer: wait`, asked at once on the same connection, answers that
 * the order is confirmed. Interleaved in one run; processor time is that of orders that nobody asks about.
 *
 *     node bench/lone.ts --topologies bare,one,four --beside bare --per-second 25
 */

const { values: flags } = parseArgs({
  options: {
    ...ROUNDS,
    topologies: { type: "string", default: "bare,one,four" },
    beside: { type: "string" },
    "per-second": { type: "string", default: "25" },
  },
});
const names = topologyNames(flags.topologies);
const references = topologyNames(flags.beside ?? names[0] ?? "");
const pace = { perSecond: positive("per-second", flags["per-second"]) };
const durationMs = positive("seconds", flags.seconds) * 1_000;

await withShops(
  names.map((topology) => ({ topology })),
  async (shops) => {
    const warmUpMs = positive("warmup", flags.warmup) * 1_000;
    for (const shop of shops) await shop.measure("confirmed", { connections: 4 }, warmUpMs);
    const rounds = positive("rounds", flags.rounds);
    const measure = (kind: Kind) => (shop: Shop) => shop.measure(kind, pace, durationMs);
    const answered = await interleave(shops, rounds, measure("orders"));
    const confirmed = await interleave(shops, rounds, measure("confirmed"));
    console.log(`${pace.perSecond} orders a second:\n\n${tableOf(answered, confirmed)}\n`);
  },
);

/** @param answered of each topology, in the order of their names */
function tableOf(answered: readonly (readonly Measured[])[], confirmed: readonly (readonly Measured[])[]): string {
  const medians = answered.map((rounds) => rounds.map(({ latenciesMs }) => latency(latenciesMs, 0.5)));
  const rows = answered.map((rounds, at) => {
    const shares = [rounds, confirmed[at] ?? []].flatMap((each) => {
      const latencies = each.flatMap(({ latenciesMs }) => latenciesMs);
      return [latency(latencies, 0.5).toFixed(2), latency(latencies, 0.99).toFixed(2)];
    });
    return [
      names[at] ?? "",
      ...shares,
      ...references.map((name) => ratio(medians[at] ?? [], medians[names.indexOf(name)] ?? [])),
      ...cpuCells(rounds),
    ];
  });
  const besides = references.map((name) => `answer p50 ÷ ${name}`);
  const head = ["", "answer p50 ms", "p99", "confirmed p50 ms", "p99", ...besides, "CPU µs each", "of which"];
  return table([head, ...rows]);
}
