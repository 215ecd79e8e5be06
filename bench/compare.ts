import { parseArgs } from "node:util";
import { positive, positives, ROUNDS, topologyNames } from "./flags.ts";
import { interleave } from "./interleave.ts";
import { median } from "./quantile.ts";
import { type Measured, type Shop, withShops } from "./shop.ts";
import { cpuOf, ratio, table } from "./table.ts";

/**
 * POST /orders of this checkout beside that of another, such as the one before a change: `git worktree add ../before main` and `npm ci`
 * there. Round by round both, since absolute figures drift; each ratio is of one round, shown with the interval in which its median
 * lies with 95 %.
 *
 *     node bench/compare.ts --against ../before --topology one --connections 1,32 --rounds 15
 */

const { values: flags } = parseArgs({
  options: {
    ...ROUNDS,
    against: { type: "string" },
    topology: { type: "string", default: "one" },
    connections: { type: "string", default: "1,32" },
    rounds: { type: "string", default: "15" },
    seconds: { type: "string", default: "2" },
    "sync-delay": { type: "string", default: "0" },
  },
});
const { against: checkout } = flags;
if (checkout === undefined) throw new Error("--against: expected the folder of another checkout");
const [topology = "one"] = topologyNames(flags.topology);
const opening = { topology, syncDelayMs: Number(flags["sync-delay"]) };

await withShops([{ ...opening, checkout }, opening], async (shops) => {
  for (const connections of positives("connections", flags.connections)) {
    const measure = (durationMs: number) => (shop: Shop) => shop.measure("orders", { connections }, durationMs);
    await interleave(shops, 1, measure(positive("warmup", flags.warmup) * 1_000));
    const rounds = positive("rounds", flags.rounds);
    const [was = [], is = []] = await interleave(shops, rounds, measure(positive("seconds", flags.seconds) * 1_000));
    const row = (what: string, figure: (measured: Measured) => number) => [
      what,
      ...[was, is].map((measured) => median(measured.map(figure)).toFixed(0)),
      ratio(is.map(figure), was.map(figure), 3),
    ];
    const head = [`${topology}, ${connections} connection${connections === 1 ? "" : "s"}`, "before", "now", "ratio"];
    const rows = [row("orders/s", ({ perSecond }) => perSecond), row("CPU µs/order", cpuOf)];
    console.log(`${table([head, ...rows])}\n`);
  }
});
