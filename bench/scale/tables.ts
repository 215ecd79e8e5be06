import { serviceNames } from "../../src/runtime/modules.ts";
import { ratio, table } from "../table.ts";
import { type Figures, isDatabase, ofApplication, ofDatabase, type Round, type ShopFigures, sum } from "./figures.ts";
import { limitsOf, microsPerOrder, planFor } from "./plan.ts";

/** The tables of docs/CAPACITY.md, by the names that the page has them by. */
export function tablesOf(figures: Figures): ReadonlyMap<string, string> {
  const tables = { flat, costs, services, walls, plan };
  return new Map(
    Object.entries(tables).map(([name, write]) => [
      `${name} of bench/scale/measured.json`,
      `${write(figures)}\n\n${figures.occasion}: \`${figures.command}\``,
    ]),
  );
}

/** The shops that differ in their replicas alone, and the one in which each module has a server of its own. */
function shopsOf({ shops }: Figures): { readonly replicated: readonly ShopFigures[]; readonly apart: ShopFigures } {
  const isApart = ({ idleMicros }: ShopFigures) => Object.keys(idleMicros).filter(isDatabase).length > 1;
  const apart = shops.find(isApart);
  const replicated = shops.filter((shop) => !isApart(shop));
  if (apart === undefined || replicated.length === 0) throw new Error("these are not the figures of a whole run");
  return { replicated, apart };
}

/** The one with most replicas, by which is planned. */
function largest(figures: Figures): ShopFigures {
  const [shop] = shopsOf(figures).replicated.toSorted((one, other) => other.replicas - one.replicas);
  return shop as ShopFigures;
}

function flat(figures: Figures): string {
  const { replicated, apart } = shopsOf(figures);
  const [first] = replicated;
  const row = (shop: ShopFigures) => {
    const cells = (micros: (round: Round) => number) => {
      const [own, references] = [shop, first].map((each) => (each as ShopFigures).rounds.map(micros));
      return [mean(own ?? []).toFixed(0), shop === first ? "1" : ratio(own ?? [], references ?? [])];
    };
    return [
      shop.name,
      ...cells(({ cpuMicros }) => ofApplication(cpuMicros)),
      ...cells(({ cpuMicros }) => ofDatabase(cpuMicros)),
      ...cells(({ cpuMicros }) => sum(Object.values(cpuMicros))),
      mean(shop.rounds.map(({ p50Ms }) => p50Ms)).toFixed(1),
      mean(shop.rounds.map(({ p99Ms }) => p99Ms)).toFixed(1),
    ];
  };
  const against = `÷ ${first?.name}`;
  return table([
    ["", "application µs", against, "PostgreSQL µs", against, "all µs", against, "p50 ms", "p99 ms"],
    ...[...replicated, apart].map(row),
  ]);
}

function costs({ shops }: Figures): string {
  const row = (shop: ShopFigures) => [
    shop.name,
    mean(shop.rounds.map(({ walBytes }) => walBytes)).toFixed(0),
    shop.bytesKeptPerOrder.toFixed(0),
    shop.rowsPerOrder.toFixed(1),
    shop.commitsPerOrder.toFixed(1),
    [shop.groups.numbered, shop.groups.reserved, shop.groups.confirmed].map((size) => size.toFixed(1)).join(" · "),
    ["Lock", "LWLock", "IO"].map((what) => `${((shop.waits[what] ?? 0) * 100).toFixed(1)}`).join(" · "),
    String(shop.connections),
    (2 * shop.redis.bytesPerEvent).toFixed(0),
    shop.redis.secondsKept.toFixed(1),
  ];
  const groups = "events numbered · reserved · confirmed together";
  const waits = "% of looks at Lock · LWLock · IO";
  const head = ["", "WAL bytes", "bytes kept", "rows", "commits", groups, waits, "connections", "Redis bytes", "for s"];
  return table([head, ...shops.map(row)]);
}

function services(figures: Figures): string {
  const shop = largest(figures);
  const { fullLoad } = figures;
  const micros = microsPerOrder(shop);
  const row = (name: string) => [
    name,
    (micros[name] ?? 0).toFixed(0),
    (fullLoad.cpuMicros[name] ?? 0).toFixed(0),
    ((shop.idleMicros[name] ?? 0) / 1_000 / (name === "redis" || isDatabase(name) ? 1 : shop.replicas)).toFixed(1),
    shop.memoryBytes[name] === undefined ? "" : ((shop.memoryBytes[name] ?? 0) / 2 ** 20).toFixed(0),
  ];
  const full = `at full load, ${fullLoad.perSecond.toFixed(0)}/s`;
  const head = ["", `µs an order at ${figures.perSecond}/s`, full, "idle, ms a second", "memory MiB"];
  return table([head, ...[...serviceNames, "postgres", "redis"].map(row)]);
}

function walls(figures: Figures): string {
  const { replicated, apart } = shopsOf(figures);
  const [first] = replicated;
  const limits = limitsOf(figures, largest(figures), apart);
  const rows = limits.map(({ what, ordersPerSecond }) => [
    what,
    ordersPerSecond.toFixed(0),
    ((ordersPerSecond * 3_600) / 1e6).toFixed(1),
  ]);
  const writing = figures.walls.writing.map(({ connections, perSecond, serverMicros, commitsPerSync }) => [
    String(connections),
    perSecond.toFixed(0),
    serverMicros.toFixed(0),
    commitsPerSync.toFixed(1),
  ]);
  if (first === undefined) throw new Error("there is no shop");
  return [
    table([["", "orders/s", "million orders an hour"], ...rows]),
    table([["connections that write orders", "orders/s", "PostgreSQL µs", "commits a sync"], ...writing]),
  ].join("\n\n");
}

function plan(figures: Figures): string {
  const shop = largest(figures);
  const plans = [1, 10, 100].map((millions) => planFor(millions * 1e6, shop));
  const row = (what: string, cell: (each: (typeof plans)[number]) => string) => [what, ...plans.map(cell)];
  return table([
    ["", "1 million an hour", "10 million", "100 million"],
    row("orders a second", (each) => each.ordersPerSecond.toFixed(0)),
    row("processes: gateway · users · products · orders", ({ processes }) =>
      serviceNames.map((service) => processes[service]).join(" · "),
    ),
    row("processors for them", (each) => each.applicationCores.toFixed(0)),
    row("processors for PostgreSQL", (each) => each.databaseCores.toFixed(0)),
    row("processors for Redis", (each) => each.redisCores.toFixed(1)),
    row("connections", (each) => String(each.connections)),
    row("rows a second", (each) => each.rowsPerSecond.toFixed(0)),
    row("WAL, MB a second", (each) => (each.walBytesPerSecond / 1e6).toFixed(1)),
    row("kept, GB a day", (each) => (each.keptBytesPerDay / 1e9).toFixed(0)),
    row("memory of Redis, MB", (each) => (each.redisBytes / 1e6).toFixed(0)),
  ]);
}

function mean(figures: readonly number[]): number {
  return sum(figures) / figures.length;
}
