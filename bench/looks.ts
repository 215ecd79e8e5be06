import { parseArgs } from "node:util";
import { positive, ROUNDS, topologyNames } from "./flags.ts";
import { interleave } from "./interleave.ts";
import type { Loaded } from "./load.ts";
import { median } from "./quantile.ts";
import { type Kind, type Opening, type Shop, withShops } from "./shop.ts";
import { latency, ratio, table } from "./table.ts";

/**
 * How long a look at a product takes while nobody writes, while others order, and while people register, whose passwords are hashed
 * as they are in production; on disks that sync as they do and on slower ones: nobody is to wait for a sync that is not his own.
 * Interleaved in one run, and with another checkout if one is given; figures are medians over the rounds.
 *
 *     node bench/looks.ts --topology one --sync-delays 0,2 --orders 100 --registrations 4 --looks 200 --against ../before
 */

const { values: flags } = parseArgs({
  options: {
    ...ROUNDS,
    topology: { type: "string", default: "one" },
    against: { type: "string" },
    "sync-delays": { type: "string", default: "0,2" },
    orders: { type: "string", default: "100" },
    registrations: { type: "string", default: "4" },
    looks: { type: "string", default: "200" },
  },
});

/** The cost that a password has where nobody sets another. */
const BCRYPT_COST = 10;

/** What goes on beside the looks. */
type Beside = { readonly shop: Shop; readonly kind?: Kind };

interface Round {
  readonly looks: Loaded;
  readonly others?: Loaded | undefined;
}

const [topology = "one"] = topologyNames(flags.topology);
const perSecond = { orders: Number(flags.orders), registrations: Number(flags.registrations) };
const openings = flags["sync-delays"].split(",").flatMap((delay): Opening[] =>
  [undefined, ...(flags.against === undefined ? [] : [flags.against])].map((checkout) => ({
    topology,
    name: `sync +${delay} ms${checkout === undefined ? "" : `, ${checkout}`}`,
    syncDelayMs: Number(delay),
    bcryptCost: BCRYPT_COST,
    ...(checkout === undefined ? {} : { checkout }),
  })),
);

await withShops(openings, async (shops) => {
  const kinds = [undefined, ...(["orders", "registrations"] as const).filter((kind) => perSecond[kind] > 0)];
  const subjects = shops.flatMap((shop) => kinds.map((kind): Beside => (kind ? { shop, kind } : { shop })));
  await interleave(subjects, 1, (subject) => look(subject, positive("warmup", flags.warmup)));
  const seconds = positive("seconds", flags.seconds);
  const measured = await interleave(subjects, positive("rounds", flags.rounds), (subject) => look(subject, seconds));
  console.log(`${flags.looks} looks at a product a second, ${topology}:\n\n${tableOf(subjects, measured)}\n`);
});

async function look({ shop, kind }: Beside, seconds: number): Promise<Round> {
  const load = (kind: Kind, perSecond: number) => shop.load(kind, { perSecond }, seconds * 1_000);
  const others = kind === "orders" || kind === "registrations" ? load(kind, perSecond[kind]) : undefined;
  const [looks, beside] = await Promise.all([load("looks", Number(flags.looks)), others]);
  await shop.settle();
  return { looks, others: beside };
}

function tableOf(subjects: readonly Beside[], measured: readonly (readonly Round[])[]): string {
  const figures = (rounds: readonly Round[], of: keyof Round, share: number) =>
    rounds.map((round) => latency(round[of]?.latenciesMs ?? [], share));
  let alone: readonly number[] = [];
  const rows = subjects.map(({ shop, kind }, at) => {
    const rounds = measured[at] ?? [];
    const p99 = figures(rounds, "looks", 0.99);
    if (kind === undefined) alone = p99;
    const cell = (of: keyof Round, share: number) =>
      of === "others" && kind === undefined ? "" : median(figures(rounds, of, share)).toFixed(2);
    return [
      `${shop.name}, ${kind === "orders" || kind === "registrations" ? `${perSecond[kind]} ${kind} a second` : "alone"}`,
      ...[cell("looks", 0.5), cell("looks", 0.99), ratio(p99, alone), cell("others", 0.5), cell("others", 0.99)],
    ];
  });
  return table([["", "looks p50 ms", "p99", "p99 ÷ alone", "the others p50 ms", "p99"], ...rows]);
}
