import { parseArgs } from "node:util";
import { interleave } from "./interleave.ts";
import { median, medianInterval } from "./quantile.ts";
import { type Measured, openShop, type Shop } from "./shop.ts";
import { type Topology, type TopologyName, topologies } from "./topologies.ts";

/**
 * POST /orders of this checkout beside that of another, such as the one before a change: `git worktree add ../before main` and `npm ci`
 * there. Round by round both, since absolute figures drift; each ratio is of one round, shown with the interval in which its median
 * lies with 95 %.
 *
 *     node bench/compare.ts --against ../before --topology one --connections 1,32 --rounds 15
 */

const { values: flags } = parseArgs({
  options: {
    against: { type: "string" },
    topology: { type: "string", default: "one" },
    connections: { type: "string", default: "1,32" },
    rounds: { type: "string", default: "15" },
    seconds: { type: "string", default: "2" },
    "sync-delay": { type: "string", default: "0" },
  },
});
if (flags.against === undefined) throw new Error("--against: expected the folder of another checkout");

const running: Topology[] = [];
try {
  const before = await open(flags.against);
  const now = await open();
  for (const connections of flags.connections.split(",").map(Number)) {
    const measure = (shop: Shop) => shop.measure(connections, Number(flags.seconds) * 1_000);
    await interleave([before, now], 1, measure); // to warm up
    const [was = [], is = []] = await interleave([before, now], Number(flags.rounds), measure);
    console.log(`${connections} connection${connections === 1 ? "" : "s"}, ${flags.rounds} rounds, ${flags.topology}`);
    print("orders/s", was, is, ({ ordersPerSecond }) => ordersPerSecond);
    print("CPU µs/order", was, is, ({ cpuMicrosPerOrder }) => cpuMicrosPerOrder);
  }
} finally {
  await Promise.all(running.map((topology) => topology.stop()));
}

async function open(checkout?: string): Promise<Shop> {
  const syncDelayMs = Number(flags["sync-delay"]);
  const start = topologies[flags.topology as TopologyName];
  const topology = await start(checkout === undefined ? { syncDelayMs } : { syncDelayMs, checkout });
  running.push(topology);
  return openShop(topology);
}

function print(
  what: string,
  was: readonly Measured[],
  is: readonly Measured[],
  figure: (measured: Measured) => number,
): void {
  const ratios = is.map((measured, round) => figure(measured) / figure(was[round] ?? measured));
  const [low, high] = medianInterval(ratios).map((ratio) => ratio.toFixed(3));
  const [before, now] = [was, is].map((measured) => median(measured.map(figure)).toFixed(0).padStart(7));
  console.log(`  ${what.padEnd(14)}${before} → ${now}   ratio ${median(ratios).toFixed(3)} (${low} to ${high})`);
}
