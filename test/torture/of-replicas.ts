import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../bus/simulation/random.ts";
import { type Api, addProduct, allOrders, createApi, type Session, signIn } from "../support/api.ts";
import { ask } from "../support/postgres.ts";
import type { ReplicatedShop } from "../support/replicas.ts";
import { judge, untilFinal } from "./judge.ts";
import { describeAskings, describeStanding, judgeCancellations, judgeRecords } from "./records.ts";
import { replicaFaultsOf } from "./replica-faults.ts";
import { describeHarm, type Harm, harmInTurn } from "./schedule.ts";
import { startTrade, type Trade } from "./trade.ts";

/** How long after the last harm all has to be final, on a machine that has nothing else to do. */
const FINAL_WITHIN_MS = 30_000;

/** What is not final by then never is, whatever else the machine does. */
const GIVEN_UP_MS = 300_000;

const TELL_EVERY_MS = 2_000;

/** How long a client waits for an answer, before it asks another gateway. */
const PATIENCE_MS = 5_000;

const PLENTY = { products: 5, stock: 1_000_000 };
const SCARCE = { products: 2, stock: 20 };

export interface TortureOptions {
  /** The faults, in their order. */
  readonly dealt: readonly string[];
  readonly random: Random;
  /** How many orders are acknowledged before the last of them, at least. */
  readonly orders: number;
  /** By default that of `ADMIN`. */
  readonly admin?: Session;
  /** How long after the last harm all has to be final. */
  readonly finalWithinMs?: number;
  /** How long a process stands still at the most. */
  readonly mostStoppedMs?: number;
  /** Told of what goes on. */
  readonly tell?: (what: string) => void;
}

/**
 * Harms a shop of replicas while clients trade at each of its gateways, and judges it. Resolves figures, in words.
 * @throws Error when what clients were told is not what is there
 */
export async function tortureReplicas(shop: ReplicatedShop, options: TortureOptions): Promise<string> {
  const api = createApi(shop.url);
  const gateways = shop.replicasOf("gateway").map(({ url }) => createApi(url, 128, PATIENCE_MS));
  let trade: Trade | undefined;
  let watching: NodeJS.Timeout | undefined;
  try {
    const admin = options.admin ?? (await signIn(api));
    const [plenty, scarce] = [await fill(api, admin, PLENTY), await fill(api, admin, SCARCE)];
    trade = startTrade(gateways, admin, { plenty: [...plenty.keys()], scarce: [...scarce.keys()] });
    const tell = tellerOf(shop, trade, options.tell ?? (() => {}));
    watching = setInterval(tell, TELL_EVERY_MS, "…");
    const harm = await harmDuring(trade, shop, options, tell);
    const finalMs = await untilFinal(api, admin, { withinMs: GIVEN_UP_MS, sinceMs: harm.lastMs });
    const opening = added(new Map([...plenty, ...scarce]), trade.restocked);
    const explain = (id: string) => describeAskings((text) => ask(shop.database, text), trade?.askings, id);
    const figures = await judge(shop, api, admin, trade, opening, { explain });
    const finalWithinMs = options.finalWithinMs ?? FINAL_WITHIN_MS;
    const wrong = [
      ...(finalMs > finalWithinMs ? [`all was final after ${finalMs} ms, and has to be within ${finalWithinMs}`] : []),
      ...judgeCancellations(await allOrders(api, admin), trade.cancelled),
      ...(await judgeRecords((text) => ask(shop.database, text))),
    ];
    const told = `${harm.told} and final in ${finalMs} ms; ${describeTrade(trade)}; ${figures}`;
    if (wrong.length > 0) throw new Error(`${told}\n${wrong.join("\n")}`);
    return told;
  } finally {
    clearInterval(watching);
    trade?.abandon();
    await Promise.all([api, ...gateways].map((each) => each.close()));
  }
}

/** Adds products. Resolves their stocks by their ids. */
async function fill(api: Api, admin: Session, { products, stock }: typeof PLENTY): Promise<Map<string, number>> {
  const stocks = new Map<string, number>();
  for (let n = 0; n < products; n++) stocks.set(await addProduct(api, admin, stock), stock);
  return stocks;
}

function added(stocks: Map<string, number>, more: ReadonlyMap<string, number>): Map<string, number> {
  for (const [product, units] of more) stocks.set(product, (stocks.get(product) ?? 0) + units);
  return stocks;
}

/** Tells what goes on, and how far the events have come. */
function tellerOf(shop: ReplicatedShop, trade: Trade, tell: (what: string) => void): (what: string) => Promise<void> {
  return async (what) => {
    const standing = await describeStanding((text) => ask(shop.database, text)).catch(String);
    tell(`${what}; ${trade.acknowledged.size} orders; ${standing}`);
  };
}

/** Resolves when each client has its last answer. */
async function harmDuring(
  trade: Trade,
  shop: ReplicatedShop,
  { dealt, random, orders, mostStoppedMs }: TortureOptions,
  tell: (what: string) => void,
) {
  const { faults, lastHarmMs, whole } = replicaFaultsOf(shop, random, mostStoppedMs);
  const done: Harm = new Map();
  await harmInTurn(dealt.slice(0, -1), faults, random, done, tell);
  while (trade.acknowledged.size < orders) await trade.more(Math.min(100, orders - trade.acknowledged.size));
  await harmInTurn(dealt.slice(-1), faults, random, done, tell);
  await whole();
  const lastMs = lastHarmMs();
  const sinceMs = () => Math.round(performance.now() - lastMs);
  const wholeMs = sinceMs();
  await trade.stop();
  const told = `${describeHarm(done)}, after the last of which all ran again in ${wholeMs} ms, was answered in ${sinceMs()} ms`;
  return { told, lastMs };
}

function describeTrade({ cancelled, restocked, registered, refused, unanswered }: Trade): string {
  const units = [...restocked.values()].reduce((sum, each) => sum + each, 0);
  const reasons = new Map<string, number>();
  for (const reason of unanswered) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const told = Array.from(reasons, ([reason, times]) => `${reason} ${times}`).sort();
  return `${registered.size} users, ${cancelled.size} cancelled, ${units} units restocked, ${refused} refused; no answer to count on: ${told.join(", ")}`;
}

/** Writes what the processes that run have printed, a file each. */
export async function keepOutputs({ replicas }: ReplicatedShop, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const written = replicas.map(({ services, process }, at) =>
    writeFile(join(folder, `${services.join("+")}-${at}.log`), process.output()),
  );
  await Promise.all(written);
}
