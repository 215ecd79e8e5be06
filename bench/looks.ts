import { parseArgs } from "node:util";
import { interleave } from "./interleave.ts";
import { applySteadyLoad, type Loaded } from "./load.ts";
import { quantile } from "./quantile.ts";
import { openShop, type Shop } from "./shop.ts";
import { type Topology, type TopologyName, topologies } from "./topologies.ts";

/**
 * How long a look at a product takes while orders are placed, on disks that sync as they do and on slower ones: nobody is to wait for
 * a sync that is not his own. Interleaved in one run.
 *
 *     node bench/looks.ts --topology one --sync-delays 0,2 --orders 100 --looks 200
 */

const { values: flags } = parseArgs({
  options: {
    topology: { type: "string", default: "one" },
    "sync-delays": { type: "string", default: "0,2" },
    orders: { type: "string", default: "100" },
    looks: { type: "string", default: "200" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
  },
});

const delays = flags["sync-delays"].split(",").map(Number);
const start = topologies[flags.topology as TopologyName];

const running: Topology[] = [];
try {
  const shops: Shop[] = [];
  for (const syncDelayMs of delays) {
    const topology = await start({ syncDelayMs });
    running.push(topology);
    shops.push(await openShop(topology));
  }
  await interleave(shops, 1, beside); // to warm up
  const measured = await interleave(shops, Number(flags.rounds), beside);
  console.log(`${flags.looks} looks at a product and ${flags.orders} orders a second, ${flags.topology}\n`);
  print(["sync", "looks p50", "p99", "orders p50", "p99 ms"]);
  for (const [at, rounds] of measured.entries()) {
    const of = (kind: "orders" | "looks") => rounds.flatMap((round) => round[kind].latenciesMs).sort((a, b) => a - b);
    const figures = [of("looks"), of("orders")].flatMap((sorted) => [quantile(sorted, 0.5), quantile(sorted, 0.99)]);
    print([`+${delays[at]} ms`, ...figures.map((figure) => figure.toFixed(2))]);
  }
} finally {
  await Promise.all(running.map((topology) => topology.stop()));
}

/** Both kinds at once. */
async function beside({ port, requests }: Shop): Promise<Readonly<Record<"orders" | "looks", Loaded>>> {
  const target = { host: "127.0.0.1", port, durationMs: Number(flags.seconds) * 1_000 };
  const [orders, looks] = await Promise.all([
    applySteadyLoad({ ...target, requests: requests.orders, perSecond: Number(flags.orders), status: 201 }),
    applySteadyLoad({ ...target, requests: requests.looks, perSecond: Number(flags.looks), status: 200 }),
  ]);
  return { orders, looks };
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell, column) => (column === 0 ? cell.padEnd(8) : cell.padStart(12))).join(""));
}
