import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { createRandom, type Random } from "../bus/simulation/random.ts";
import { type Api, addProduct, allOrders, createApi, register, type Session, signIn } from "../support/api.ts";
import { assertBalanced, type Opening } from "../support/books.ts";
import { until } from "../support/process.ts";
import { fourProcesses, oneProcess, type ProcessShop, SERVICES, type Service } from "../support/topology.ts";
import { type Load, startLoad } from "../system/steady-load.ts";

/**
 * No acknowledged order is lost, none appears from nowhere: random processes, Redis included, are killed under load, and
 * what the clients were told is held against what is there in the end.
 *
 *     npm run torture -- --topology four --orders 10000 --kills 50 --seed 1
 *
 * The seed decides who is killed and when; what the clients do meanwhile is up to the machine.
 */
const { values: flags } = parseArgs({
  options: {
    topology: { type: "string", default: "four" },
    orders: { type: "string", default: "10000" },
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const PRODUCTS = 5;
const STOCK = 1_000_000;
const FINAL_WITHIN_MS = 30_000;

type Victim = Service | "redis";

const topology = flags.topology === "one" ? oneProcess : fourProcesses;
const random = createRandom(Number(flags.seed));
const shop = await topology.start();
const api = createApi(shop.url);
try {
  const admin = await signIn(api);
  const buyer = await register(api, "buyer");
  const opening = new Map<string, number>();
  for (let n = 0; n < PRODUCTS; n++) opening.set(await addProduct(api, admin, STOCK), STOCK);
  const load = startLoad(api, buyer, [...opening.keys()]);
  const killed = await killAtRandom(shop, random, Number(flags.kills));
  while (load.acknowledged.size < Number(flags.orders)) await load.more(100);
  await load.stop();
  const figures = await judge(shop, api, admin, load, opening);
  console.log(`${topology.name}, seed ${flags.seed}: ${describe(killed)}; ${figures}`);
} finally {
  await api.close();
  await shop.stop();
}

/** Resolves how often each was killed. Whoever was is started again before the next, so that the shop is whole for a moment. */
async function killAtRandom(shop: ProcessShop, { pick, integer }: Random, kills: number): Promise<Map<Victim, number>> {
  const killed = new Map<Victim, number>();
  const victims: readonly Victim[] = shop.redis === undefined ? ["gateway"] : [...SERVICES, "redis"];
  for (let kill = 0; kill < kills; kill++) {
    await sleep(integer(50, 1_000));
    const victim = pick(victims);
    killed.set(victim, (killed.get(victim) ?? 0) + 1);
    if (victim === "redis") await shop.loseRedis();
    else await shop.kill(victim);
    await sleep(integer(0, 1_000));
    if (victim === "redis") await shop.returnRedis();
    else await shop.restart(victim);
  }
  return killed;
}

/** @throws Error when anything was lost or doubled, is not final in time, or does not add up */
async function judge(shop: ProcessShop, api: Api, admin: Session, load: Load, opening: Opening): Promise<string> {
  const startedAt = performance.now();
  const isFinal = async () => (await allOrders(api, admin)).every(({ status }) => status !== "pending");
  await until("every order is final", isFinal, FINAL_WITHIN_MS);
  const finalMs = Math.round(performance.now() - startedAt);
  await shop.settled();
  const found = new Set((await assertBalanced(api, admin, opening)).map(({ id }) => id));
  const told = new Set(load.acknowledged.values());
  const lost = told.difference(found).size;
  const unexpected = found.difference(told).size;
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "reconcile", shop.dataDir]);
  const figures = `${told.size} orders, asked again ${load.unanswered.length} times: lost ${lost}, unexpected ${unexpected}, all final after ${finalMs} ms`;
  if (lost + unexpected > 0 || !stdout.includes("All adds up.")) throw new Error(`${figures}\n${stdout}`);
  return `${figures}; stock and orders add up`;
}

function describe(killed: ReadonlyMap<Victim, number>): string {
  const total = [...killed.values()].reduce((sum, times) => sum + times, 0);
  return `${total} kills (${Array.from(killed, ([victim, times]) => `${victim} ${times}`).join(", ")})`;
}
