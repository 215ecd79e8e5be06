import { parseArgs } from "node:util";
import { interleave } from "./interleave.ts";
import { applySteadyLoad, type Loaded } from "./load.ts";
import { median, quantile } from "./quantile.ts";
import { openShop, type Shop } from "./shop.ts";
import { type Topology, type TopologyName, topologies } from "./topologies.ts";

/**
 * How long a look at a product takes while orders are placed, on disks that sync as they do and on slower ones: nobody is to wait for
 * a sync that is not his own. Interleaved in one run, and with another checkout if one is given; figures are medians over the rounds.
 *
 *     node bench/looks.ts --topology one --sync-delays 0,2 --orders 100 --looks 200 --against ../before
 */

const { values: flags } = parseArgs({
  options: {
    topology: { type: "string", default: "one" },
    against: { type: "string" },
    "sync-delays": { type: "string", default: "0,2" },
    orders: { type: "string", default: "100" },
    looks: { type: "string", default: "200" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
  },
});

const checkouts = [undefined, ...(flags.against === undefined ? [] : [flags.against])];
const running: Topology[] = [];
try {
  const shops: [string, Shop][] = [];
  for (const delay of flags["sync-delays"].split(",")) {
    for (const checkout of checkouts) {
      const options = { syncDelayMs: Number(delay), ...(checkout === undefined ? {} : { checkout }) };
      const topology = await topologies[flags.topology as TopologyName](options);
      running.push(topology);
      shops.push([`+${delay} ms${checkout === undefined ? "" : `, ${checkout}`}`, await openShop(topology)]);
    }
  }
  await interleave(shops, 1, ([, shop]) => beside(shop)); // to warm up
  const measured = await interleave(shops, Number(flags.rounds), ([, shop]) => beside(shop));
  console.log(`${flags.looks} looks at a product and ${flags.orders} orders a second, ${flags.topology}\n`);
  print(["each sync", "looks p50", "p99", "orders p50", "p99 ms"]);
  for (const [at, rounds] of measured.entries()) {
    const figure = (kind: "orders" | "looks", share: number) =>
      median(
        rounds.map((round) =>
          quantile(
            round[kind].latenciesMs.toSorted((a, b) => a - b),
            share,
          ),
        ),
      ).toFixed(2);
    const kinds = ["looks", "orders"] as const;
    print([shops[at]?.[0] ?? "", ...kinds.flatMap((kind) => [figure(kind, 0.5), figure(kind, 0.99)])]);
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
  console.log(cells.map((cell, column) => (column === 0 ? cell.padEnd(24) : cell.padStart(12))).join(""));
}
