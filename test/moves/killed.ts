import { setTimeout as sleep } from "node:timers/promises";
import { isProblem } from "../../src/base/problem.ts";
import { createRandom, type Random } from "../bus/simulation/random.ts";
import { type Api, addProduct, allOrders, createApi, type Session, signIn } from "../support/api.ts";
import { MODULES, type ModuleName } from "../support/databases.ts";
import { moveModule } from "../support/move-module.ts";
import { until } from "../support/process.ts";
import { judge } from "../torture/judge.ts";
import { judgeCancellations } from "../torture/records.ts";
import { startTrade, type Trade } from "../torture/trade.ts";
import { MovingShop, type Where } from "./moving-shop.ts";
import { Probe } from "./probe.ts";
import type { Proof } from "./proof.ts";
import { StepFile } from "./step-file.ts";
import type { Step } from "./step-point.ts";

/** Whom a kill befalls. */
export const HARMS = ["giver", "taker", "redis", "both"] as const;
export type Harm = (typeof HARMS)[number];

/** The steps of who gives a module, and of who takes it. */
const STEPS: Readonly<Record<"giver" | "taker", readonly Step[]>> = {
  giver: [
    ...(["give", "offer", "checkpoint", "leave-bus", "hand-on-waits", "finish-calls"] as const),
    ...(["close-store", "write-record", "free-lock", "tell"] as const),
  ],
  taker: ["offered", "warm", "told", "take-lock", "read-record", "open-store", "join-bus"],
};
const ALL_STEPS = Object.entries(STEPS).flatMap(([who, steps]) =>
  steps.map((step) => ({ who: who as keyof typeof STEPS, step })),
);

/** How long after a step at the most, where it is not between two. */
const MOST_AFTER_MS = 40;

/** How long those that were killed are away at the most. */
const MOST_AWAY_MS = 1_000;

/** How long after the last start all has to be whole. */
const WHOLE_WITHIN_MS = 10_000;

const CLIENTS = 2;
const PATIENCE_MS = 5_000;
const MUCH_PATIENCE_MS = 20_000;
const PLENTY = { products: 3, stock: 1_000_000 };
const SCARCE = { products: 2, stock: 20 };

export interface KilledOptions {
  readonly seed: number;
  /** How many moves. */
  readonly moves: number;
  /** Of which the seed chooses for each. */
  readonly harms: readonly Harm[];
  /** Whether the machine does much else, so that what takes long says nothing. */
  readonly isPatient: boolean;
  readonly tell: (what: string) => void;
}

/** Kills processes in the midst of moves, at a step that the seed chooses, and starts them again, while clients trade. */
export async function proveKilled(options: KilledOptions): Promise<Proof> {
  const random = createRandom(options.seed);
  const name = random.pick(MODULES);
  const point = new StepFile();
  const moving = await MovingShop.start([name], point.settings, random.chance(0.5));
  const api = createApi(moving.shop.url, 128, options.isPatient ? MUCH_PATIENCE_MS : PATIENCE_MS);
  try {
    return await new KilledRun(moving, name, api, point, random, options).run();
  } finally {
    await api.close();
    await moving.stop();
    point.remove();
  }
}

class KilledRun {
  readonly #moving: MovingShop;
  readonly #name: ModuleName;
  readonly #api: Api;
  readonly #point: StepFile;
  readonly #random: Random;
  readonly #options: KilledOptions;
  readonly #wrong: string[] = [];
  readonly #done: string[] = [];
  readonly #killedAfter: string[] = [];
  #slowestMs = 0;

  constructor(moving: MovingShop, name: ModuleName, api: Api, point: StepFile, random: Random, options: KilledOptions) {
    this.#moving = moving;
    this.#name = name;
    this.#api = api;
    this.#point = point;
    this.#random = random;
    this.#options = options;
  }

  async run(): Promise<Proof> {
    const admin = await signIn(this.#api);
    const [plenty, scarce] = [await this.#fill(admin, PLENTY), await this.#fill(admin, SCARCE)];
    const goods = { plenty: [...plenty.keys()], scarce: [...scarce.keys()] };
    const trade = startTrade([this.#api], admin, goods, CLIENTS);
    const probe = new Probe(this.#api, admin, goods.plenty);
    let figures = "";
    try {
      await trade.more(10);
      for (let n = 0; n < this.#options.moves; n += 1) await this.#round(probe);
      await trade.stop();
      figures = await this.#judge(trade, probe, admin, new Map([...plenty, ...scarce]));
    } catch (error) {
      this.#wrong.push(error instanceof Error ? error.message : String(error));
    } finally {
      trade.abandon();
    }
    this.#wrong.push(...this.#moving.owners.wrong);
    return {
      told: `${this.#name}: ${this.#done.join(", ")}; whole again in ${this.#slowestMs} ms at most; ${this.#moving.owners.looks} looks at who is the owner; ${figures}`,
      wrong: this.#wrong,
      moves: this.#options.moves,
      gatesMs: this.#moving.gateTimes().map(({ waitedMs }) => waitedMs),
      killedAfter: this.#killedAfter,
      details: this.#moving.outputs(),
    };
  }

  async #fill(admin: Session, { products, stock }: typeof PLENTY): Promise<Map<string, number>> {
    const stocks = new Map<string, number>();
    for (let n = 0; n < products; n += 1) stocks.set(await addProduct(this.#api, admin, stock), stock);
    return stocks;
  }

  /** A move, in the midst of which somebody is killed. */
  async #round(probe: Probe): Promise<void> {
    const { pick, integer, chance } = this.#random;
    await sleep(integer(100, 600));
    const harm = pick(this.#options.harms);
    const { who, step } = pick(ALL_STEPS);
    const afterMs = chance(0.6) ? 0 : integer(1, MOST_AFTER_MS);
    const from = this.#moving.where(this.#name);
    const to = from === "home" ? "standby" : "home";
    const victims = this.#victimsOf(harm, from, to);
    const pids = victims.map((victim) => this.#pidOf(victim));
    const { pid } = this.#moving.process(this.#name, who === "giver" ? from : to);
    this.#point.set({ pid, step, afterMs, signal: "SIGKILL", victims: pids.toSorted((a) => (a === pid ? 1 : -1)) });
    const told = `${to === "home" ? "here" : "out"}, ${harm} killed ${afterMs} ms after ${step} of ${who}`;
    const moved = this.#move(to);
    const ended = moved.then(() => true);
    await until("the step is reached, or the move has ended", async () => {
      return this.#point.isReached || (await Promise.race([ended, sleep(5, false)]));
    });
    if (!this.#point.isReached) {
      this.#point.clear();
      this.#done.push(`${told}: not reached`);
      this.#options.tell(`${told}: not reached, ${await moved}`);
      return;
    }
    this.#killedAfter.push(`${step} of ${who}`);
    await until("all victims have ended", () => !pids.some(isAlive));
    if (victims.includes("redis")) await this.#moving.redis.kill(); // it is known then that it has ended
    await sleep(integer(0, MOST_AWAY_MS));
    const startedAt = performance.now();
    await Promise.all(victims.map((victim) => this.#start(victim)));
    await probe.untilWhole();
    await this.#untilOneOwner();
    const wholeMs = Math.round(performance.now() - startedAt);
    this.#slowestMs = Math.max(this.#slowestMs, wholeMs);
    const said = `${told}: ${this.#moving.where(this.#name)}, whole after ${wholeMs} ms`;
    if (wholeMs > WHOLE_WITHIN_MS && !this.#options.isPatient) this.#wrong.push(said);
    this.#done.push(told);
    this.#options.tell(`${said}; ${await moved}`);
  }

  #victimsOf(harm: Harm, from: Where, to: Where): (Where | "redis")[] {
    const victims = { giver: [from], taker: [to], redis: ["redis"], both: [from, to] } as const;
    return [...victims[harm]];
  }

  #pidOf(victim: Where | "redis"): number {
    return victim === "redis" ? this.#moving.redis.pid : this.#moving.process(this.#name, victim).pid;
  }

  async #start(victim: Where | "redis"): Promise<void> {
    if (victim === "redis") await this.#moving.redis.start();
    else if (victim === "home") await this.#moving.startHome();
    else await this.#moving.startStandby(this.#name);
  }

  /** Resolves what whoever asked for it was told. */
  async #move(to: Where): Promise<string> {
    try {
      await this.#moving.move(this.#name, to, this.#options.isPatient ? moveModule : undefined);
      return "moved";
    } catch (error) {
      if (isProblem(error)) return `not moved: ${error.message}`;
      throw error;
    }
  }

  async #untilOneOwner(): Promise<void> {
    const { owners } = this.#moving;
    await until(`who is named has ${this.#name} open, and nobody else`, () => {
      const { pid } = this.#moving.process(this.#name, this.#moving.where(this.#name));
      const found = owners.of(this.#name);
      return found.length === 1 && found[0] === pid;
    });
  }

  async #judge(trade: Trade, probe: Probe, admin: Session, opening: Map<string, number>): Promise<string> {
    for (const [product, units] of trade.restocked) opening.set(product, (opening.get(product) ?? 0) + units);
    const acknowledged = new Map([...trade.acknowledged, ...probe.acknowledged]);
    const { unanswered } = trade;
    const figures = await judge(this.#moving.shop, this.#api, admin, { acknowledged, unanswered }, opening);
    this.#wrong.push(...judgeCancellations(await allOrders(this.#api, admin), trade.cancelled));
    return figures;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
