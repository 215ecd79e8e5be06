import { parseArgs } from "node:util";
import { createRandom } from "../bus/simulation/random.ts";
import { addProduct, createApi, register, signIn } from "../support/api.ts";
import { createDisk } from "../support/disk/disk.ts";
import { replicated } from "../support/replicas.ts";
import { fourOn, fourProcesses, oneOn, oneProcess, SERVICES } from "../support/topology.ts";
import { startLoad } from "../system/steady-load.ts";
import { injectConflicts } from "./conflicts.ts";
import { faultsOf } from "./faults.ts";
import { judge } from "./judge.ts";
import { keepOutputs, tortureReplicas } from "./of-replicas.ts";
import { dealFaults, describeHarm, type Harm, harmInTurn } from "./schedule.ts";

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
 * With `--replicas 2` it is a shop of two of each process on a PostgreSQL, and its clients register, order, cancel and restock at both
 * gateways: who gets no answer asks the other one with the same key. Any of the processes can be killed, or stand still while others are
 * harmed, up to 18 s; `postgres` is killed, or there is a `failover` to its synchronous standby. All has to be final 30 s after the last
 * of it. So many of each, in any order:
 *
 *     npm run torture -- --replicas 2 --faults kill:20,stop:5,failover:2 --seed 1
 *
 * The seed decides what happens to whom and when, each fault as often as the others; what the clients do meanwhile is up to the machine.
 */
const { values: flags } = parseArgs({
  options: {
    topology: { type: "string", default: "four" },
    store: { type: "string", default: "sqlite" },
    replicas: { type: "string", default: "1" },
    orders: { type: "string", default: "10000" },
    faults: { type: "string", default: "kill" },
    times: { type: "string" },
    lie: { type: "boolean", default: false },
    conflicts: { type: "string", default: "0" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    outputs: { type: "string" },
  },
});

const PRODUCTS = 5;
const STOCK = 1_000_000;
/** How many faults where nothing says how many. */
const TIMES = 50;
/** How long all may take to be final where statements are refused: they must get on, and not fast. */
const PROGRESS_WITHIN_MS = 600_000;

const random = createRandom(Number(flags.seed));
const times = flags.times ?? (flags.faults.includes(":") ? undefined : TIMES);
const dealt = dealFaults(flags.faults, random, times === undefined ? undefined : Number(times));
const orders = Number(flags.orders);
const tell = (what: string) => console.error(`${new Date().toISOString()} ${what}`);
console.log(
  `seed ${flags.seed}: ${Number(flags.replicas) > 1 ? await tortureOfReplicas() : await tortureOfProcesses()}`,
);

async function tortureOfReplicas(): Promise<string> {
  const count = Number(flags.replicas);
  const standby = dealt.includes("failover");
  const topology =
    flags.topology === "one"
      ? replicated(`${count} of one process`, count, { split: [SERVICES], redis: false, standby })
      : replicated(`${count} of each`, count, { standby });
  const shop = await topology.start();
  try {
    return `${topology.name}: ${await tortureReplicas(shop, { dealt, random, orders, tell })}`;
  } finally {
    if (flags.outputs !== undefined) await keepOutputs(shop, flags.outputs);
    await shop.stop();
  }
}

async function tortureOfProcesses(): Promise<string> {
  const probability = Number(flags.conflicts);
  const serializable = probability > 0;
  const ways = { pooled: flags.store === "pgbouncer", serializable };
  const onPostgres = { one: oneOn(ways), four: fourOn(ways) };
  const stores = { sqlite: { one: oneProcess, four: fourProcesses }, postgres: onPostgres, pgbouncer: onPostgres };
  const topology = stores[flags.store as keyof typeof stores][flags.topology as "one" | "four"];
  const disk = dealt.some((name) => ["power", "full", "sync"].includes(name)) ? createDisk(true) : undefined;
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
    const done: Harm = new Map();
    await harmInTurn(dealt, faultsOf(shop, disk, random, always), random, done, tell);
    while (load.acknowledged.size < orders) await load.more(100);
    await load.stop();
    const figures = await judge(shop, api, admin, load, opening, serializable ? { withinMs: PROGRESS_WITHIN_MS } : {});
    const refused = injected === undefined ? "" : `${await injected()} statements refused; `;
    return `${topology.name}: ${describeHarm(done)}; ${refused}${figures}`;
  } finally {
    await api.close();
    await shop.stop();
    disk?.dispose();
  }
}
