import { parseArgs } from "node:util";
import { positive, ROUNDS, topologyNames, UNTIL_WARM } from "./flags.ts";
import { interleave } from "./interleave.ts";
import { type Kind, type Measured, type Shop, withShops } from "./shop.ts";
import { cpuCells, cpuOf, latency, ratio, table } from "./table.ts";

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
    warmup: UNTIL_WARM,
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
    for (const shop of shops) await shop.measure("confirmed", { connections: 32 }, warmUpMs);
    const rounds = positive("rounds", flags.rounds);
    const measure = (kind: Kind) => (shop: Shop) => shop.measure(kind, pace, durationMs);
    const answered = await interleave(shops, rounds, measure("orders"));
    const confirmed = await interleave(shops, rounds, measure("confirmed"));
    console.log(
      `${pace.perSecond} orders a second:\n\n${latencyTable(answered, confirmed)}\n\n${cpuTable(answered)}\n`,
    );
  },
);

/** @param answered of each topology, in the order of their names */
function latencyTable(answered: readonly (readonly Measured[])[], confirmed: readonly (readonly Measured[])[]): string {
  const titles = (what: string) => [`${what} p50 ms`, "p99", ...references.map((name) => `p50 ÷ ${name}`)];
  const head = ["", ...titles("answered"), ...titles("confirmed")];
  return table([
    head,
    ...names.map((name, at) => [name, ...latencyCells(answered, at), ...latencyCells(confirmed, at)]),
  ]);
}

function latencyCells(results: readonly (readonly Measured[])[], at: number): string[] {
  const medians = results.map((rounds) => rounds.map(({ latenciesMs }) => latency(latenciesMs, 0.5)));
  const latencies = results[at]?.flatMap(({ latenciesMs }) => latenciesMs) ?? [];
  return [0.5, 0.99].map((share) => latency(latencies, share).toFixed(2)).concat(besideCells(medians, at));
}

function cpuTable(answered: readonly (readonly Measured[])[]): string {
  const figures = answered.map((rounds) => rounds.map(cpuOf));
  const rows = answered.map((rounds, at) => {
    const [all, byProcess] = cpuCells(rounds);
    return [names[at] ?? "", all, ...besideCells(figures, at), byProcess];
  });
  return table([["", "CPU µs an order", ...references.map((name) => `÷ ${name}`), "of which"], ...rows]);
}

/** @param figures of each topology, round by round */
function besideCells(figures: readonly (readonly number[])[], at: number): string[] {
  return references.map((name) => ratio(figures[at] ?? [], figures[names.indexOf(name)] ?? []));
}
