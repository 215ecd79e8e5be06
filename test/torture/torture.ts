import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createRandom, type Random } from "../bus/simulation/random.ts";
import { addProduct, createApi, register, signIn } from "../support/api.ts";
import { createDisk } from "../support/disk/disk.ts";
import { fourOn, fourProcesses, oneOn, oneProcess } from "../support/topology.ts";
import { startLoad } from "../system/steady-load.ts";
import { injectConflicts } from "./conflicts.ts";
import { type Fault, faultsOf } from "./faults.ts";
import { judge } from "./judge.ts";

/**
 * No acknowledged order is lost, none appears from nowhere, whatever befalls a shop under load: what the clients were told is held
 * against what is there in the end.
 *
 *     npm run torture -- --topology four --orders 10000 --faults kill,power,full,sync --times 50 --seed 1
 *
 * Faults are: `kill` of a process, Redis included; `power` is cut, and what was not synced is gone, or any part of it; the disk is
 * `full` for a while; a `sync` fails, and what it should have written is lost. All but kills need a C compiler: the disk is
 * test/support/disk/shim.c. With `--lie` the syncs of orders write nothing, so that a power cut has to be found out.
 *
 * A process of it can also stand still for a while: `stop`.
 *
 * With `--store postgres` the modules' data are in a PostgreSQL of its own, which `postgres` kills, all of it at once; its disk is
 * harmed by none of these. Where they can, others take the place of a process that is stopped:
 *
 *     npm run torture -- --store postgres --faults kill,kill,postgres --times 30 --seed 1
 *     npm run torture -- --store postgres --faults stop --times 10
 *
 * It can be used at SERIALIZABLE, with some of all statements, 0.02 here, refused by the database as if others had been in their way;
 * or through PgBouncer in transaction mode (`--store pgbouncer`, which `pooler` kills); or both:
 *
 *     npm run torture -- --store postgres --conflicts 0.02 --faults kill,postgres --times 10
 *     npm run torture -- --store pgbouncer --faults kill,postgres,pooler --times 10
 *
 * The seed decides what happens to whom and when, each fault as often as the others; what the clients do meanwhile is up to the machine.
 */
const { values: flags } = parseArgs({
  options: {
    topology: { type: "string", default: "four" },
    store: { type: "string", default: "sqlite" },
    orders: { type: "string", default: "10000" },
    faults: { type: "string", default: "kill" },
    times: { type: "string", default: "50" },
    lie: { type: "boolean", default: false },
    conflicts: { type: "string", default: "0" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

const PRODUCTS = 5;
const STOCK = 1_000_000;
/** How long all may take to be final where statements are refused: they must get on, and not fast. */
const PROGRESS_WITHIN_MS = 600_000;

const probability = Number(flags.conflicts);
const serializable = probability > 0;
const ways = { pooled: flags.store === "pgbouncer", serializable };
const onPostgres = { one: oneOn(ways), four: fourOn(ways) };
const stores = { sqlite: { one: oneProcess, four: fourProcesses }, postgres: onPostgres, pgbouncer: onPostgres };
const topology = stores[flags.store as keyof typeof stores][flags.topology as "one" | "four"];
const random = createRandom(Number(flags.seed));
const names = flags.faults.split(",");
const disk = names.some((name) => ["power", "full", "sync"].includes(name)) ? createDisk(true) : undefined;
const always = flags.lie ? ["lie 30 orders.db-wal", "lie 3 orders.db"] : [];
disk?.behave(...always);
const shop = await topology.start(disk?.env);
const api = createApi(shop.url);
try {
  const injected = serializable && shop.database ? await injectConflicts(shop.database.url, probability) : undefined;
  const admin = await signIn(api);
  const buyer = await register(api, "buyer");
  const opening = new Map<string, number>();
  for (let n = 0; n < PRODUCTS; n++) opening.set(await addProduct(api, admin, STOCK), STOCK);
  const load = startLoad(api, buyer, [...opening.keys()]);
  const harmed = await harmAtRandom(faultsOf(shop, disk, random, always), random, Number(flags.times));
  while (load.acknowledged.size < Number(flags.orders)) await load.more(100);
  await load.stop();
  const figures = await judge(shop, api, admin, load, opening, serializable ? PROGRESS_WITHIN_MS : undefined);
  const refused = injected === undefined ? "" : `${await injected()} statements refused; `;
  console.log(`${topology.name}, seed ${flags.seed}: ${describe(harmed)}; ${refused}${figures}`);
} finally {
  await api.close();
  await shop.stop();
  disk?.dispose();
}

/** Resolves how often each thing was done. The shop is whole for a moment before the next. */
async function harmAtRandom(
  faults: Readonly<Record<string, Fault>>,
  random: Random,
  times: number,
): Promise<Map<string, number>> {
  const done = new Map<string, number>();
  for (const name of deal(random, times)) {
    await sleep(random.integer(50, 1_000));
    const fault = faults[name];
    if (fault === undefined) throw new Error(`--faults: expected some of ${Object.keys(faults)}`);
    const what = await fault();
    done.set(what, (done.get(what) ?? 0) + 1);
  }
  return done;
}

/** The names of so many faults, each as often as it is named more than others, in any order. */
function deal({ integer }: Random, times: number): string[] {
  const dealt: string[] = [];
  for (let n = 0; n < times; n++) dealt.splice(integer(0, n), 0, names[n % names.length] ?? "");
  return dealt;
}

function describe(harmed: ReadonlyMap<string, number>): string {
  const total = [...harmed.values()].reduce((sum, times) => sum + times, 0);
  const each = Array.from(harmed, ([what, times]) => `${what} ${times}`).sort();
  return `${total} faults (${each.join(", ")})`;
}
