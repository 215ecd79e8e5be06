import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { interleave } from "./interleave.ts";
import { median, quantile } from "./quantile.ts";
import { type Measured, openShop, type Shop } from "./shop.ts";
import { type Topology, type TopologyName, topologies } from "./topologies.ts";

/**
 * POST /orders in several topologies, interleaved in one run, because absolute figures drift from minute to minute
 * and only what ran side by side can be compared.
 *
 *     node bench/orders.ts --topologies bare,one --connections 32 --rounds 5 --seconds 4
 *
 * With `--sync-delay 2` each sync to the disk takes two milliseconds longer.
 *
 * The first topology is what the others are compared with. Figures are medians over the rounds, latencies are over
 * all requests, the ratio is the median of the rounds' own ratios.
 */

const { values: flags } = parseArgs({
  options: {
    topologies: { type: "string", default: "bare,one" },
    connections: { type: "string", default: "32" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    warmup: { type: "string", default: "3" },
    "sync-delay": { type: "string", default: "0" },
  },
});
const names = flags.topologies.split(",").map(topologyName);
const seconds = positive("seconds", flags.seconds);
const rounds = positive("rounds", flags.rounds);

console.log(`POST /orders: ${names.join(" and ")}, ${rounds} rounds of ${seconds} s each, interleaved`);
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}\n`);

const running: Topology[] = [];
try {
  const shops: [TopologyName, Shop][] = [];
  for (const name of names) {
    const topology = await topologies[name]({ syncDelayMs: Number(flags["sync-delay"]) });
    running.push(topology);
    shops.push([name, await openShop(topology)]);
  }
  for (const [, shop] of shops) await shop.measure(32, positive("warmup", flags.warmup) * 1_000);
  for (const connections of flags.connections.split(",").map((text) => positive("connections", text))) {
    const measured = await interleave(shops, rounds, ([, shop]) => shop.measure(connections, seconds * 1_000));
    printTable(connections, measured);
  }
} finally {
  await Promise.all(running.map((topology) => topology.stop()));
}

/** @param results of each topology, in the order of their names */
function printTable(connections: number, results: readonly (readonly Measured[])[]): void {
  const [reference = []] = results;
  console.log(`${connections} connection${connections === 1 ? "" : "s"}`);
  const rows = results.map((measured, at) => {
    const latencies = measured.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
    const ratios = measured.map(
      ({ ordersPerSecond }, round) => ordersPerSecond / (reference[round]?.ordersPerSecond ?? 0),
    );
    return [
      names[at] ?? "",
      median(measured.map((each) => each.ordersPerSecond)).toFixed(0),
      quantile(latencies, 0.5).toFixed(2),
      quantile(latencies, 0.99).toFixed(2),
      median(measured.map((each) => each.cpuMicrosPerOrder)).toFixed(0),
      median(ratios).toFixed(2),
    ];
  });
  for (const row of [["", "req/s", "p50 ms", "p99 ms", "CPU µs/order", `ratio to ${names[0]}`], ...rows]) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(8) : cell.padStart(14))).join(""));
  }
  console.log();
}

function topologyName(text: string): TopologyName {
  if (Object.hasOwn(topologies, text)) return text as TopologyName;
  throw new Error(`--topologies: expected some of ${Object.keys(topologies).join(",")}, not ${text}`);
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name}: expected a number above 0, not ${text}`);
  return value;
}
