import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../../bench/quantile.ts";
import { isProblem } from "../../src/base/problem.ts";
import { createRandom, type Random } from "../bus/simulation/random.ts";
import { describeOutcomes } from "../rehearsal/figures.ts";
import { type Outcome, startTraffic, type Traffic } from "../rehearsal/traffic.ts";
import { type Api, createApi, type Session, signIn } from "../support/api.ts";
import { MODULES, type ModuleName } from "../support/databases.ts";
import { moveModule } from "../support/move-module.ts";
import { until } from "../support/process.ts";
import { judge } from "../torture/judge.ts";
import { MovingShop, type Where } from "./moving-shop.ts";
import type { Proof } from "./proof.ts";
import { openWaits } from "./waits.ts";
import { readList, watchConsole } from "./watchers.ts";

/** No request takes longer; who waits for a decision has said for how long he does. */
const SLOW_MS = 1_000;
const SLOW_DECISION_MS = 6_000;

/** The gate is closed for less at the median. */
const GATE_MEDIAN_MS = 150;

/** What customers ask for, of a hundred times: of each module about as much. */
const MIX = { "sign in": 10, register: 5, product: 15, products: 15, order: 25, orders: 15, me: 15 };

/** How many customers there are at once, at the most; of a machine that does much else, so that what it cannot do does not pile up. */
const AT_ONCE = 500;
const PATIENT_AT_ONCE = 6;

export interface CleanOptions {
  readonly seed: number;
  /** How many moves. */
  readonly moves: number;
  /** Requests a second. */
  readonly rate: number;
  /** How many wait for decisions at once while orders moves there and back; none if 0. */
  readonly waits: number;
  /** Whether the machine does much else, so that what takes long says nothing. */
  readonly isPatient: boolean;
  /** Told of each move. */
  readonly tell: (what: string) => void;
}

/** Moves modules of a shop that is in use, of which no request fails. */
export async function proveClean(options: CleanOptions): Promise<Proof> {
  const random = createRandom(options.seed);
  const moving = await MovingShop.start(MODULES, {}, random.chance(0.5));
  const api = createApi(moving.shop.url, AT_ONCE);
  try {
    return await new CleanRun(moving, api, random, options).run();
  } finally {
    await api.close();
    await moving.stop();
  }
}

class CleanRun {
  readonly #moving: MovingShop;
  readonly #api: Api;
  readonly #random: Random;
  readonly #options: CleanOptions;
  readonly #wrong: string[] = [];
  #moves = 0;
  #refused = 0;

  constructor(moving: MovingShop, api: Api, random: Random, options: CleanOptions) {
    this.#moving = moving;
    this.#api = api;
    this.#random = random;
    this.#options = options;
  }

  async run(): Promise<Proof> {
    const { rate, seed, moves, waits, isPatient } = this.#options;
    const atOnce = isPatient ? PATIENT_AT_ONCE : AT_ONCE;
    const { shop } = this.#moving;
    const admin = await signIn(this.#api);
    const console = await watchConsole(shop.url, admin);
    const traffic = await startTraffic(this.#api, admin, { rate, atOnce, seed, mix: MIX });
    const opening = new Map(traffic.opening);
    const placed = new Set<string>();
    const pages: Outcome[] = [];
    const reader = readList(this.#api, admin, traffic.placed, pages);
    await untilAnswered(traffic, 2 * rate); // what an order needs is loaded by then
    const warm = traffic.outcomes.length;
    while (this.#moves < moves) {
      await this.#round();
      if (this.#moves >= moves / 2 && waits > 0 && placed.size === 0) await this.#moveWithWaits(admin, opening, placed);
    }
    await untilAnswered(traffic, traffic.outcomes.length + rate);
    await traffic.stop();
    this.#wrong.push(...(await reader.end()), ...(await console.end()));
    const outcomes = [...traffic.outcomes.slice(warm), ...pages];
    this.#judgeOutcomes(outcomes);
    const all = new Map([...traffic.placed, ...placed].map((id) => [id, id]));
    const figures = await judge(shop, this.#api, admin, { acknowledged: all, unanswered: [] }, opening).catch(
      (error: Error) => void this.#wrong.push(error.message),
    );
    return this.#proof(outcomes, `the list was read ${reader.times()} times; ${figures}`);
  }

  /** One module is moved, or one by two at once, or two at once. */
  async #round(): Promise<void> {
    await sleep(this.#random.integer(200, 1_500));
    const name = this.#random.pick(MODULES);
    const kind = this.#random.integer(1, 6);
    if (kind === 1) await this.#moveAtOnce([name, name]);
    else if (kind === 2) await this.#moveAtOnce([name, this.#random.pick(MODULES.filter((each) => each !== name))]);
    else await this.#moveAtOnce([name]);
  }

  /** One of them moves at least; each other one does too, or is refused with a reason. */
  async #moveAtOnce(names: readonly ModuleName[]): Promise<void> {
    const moves = names.map((name) => this.#move(name, this.#moving.where(name) === "home" ? "standby" : "home"));
    const refusals = (await Promise.all(moves)).flatMap((refusal) => refusal ?? []);
    this.#moves += names.length - refusals.length;
    this.#refused += refusals.length;
    if (refusals.length === names.length && !this.#options.isPatient)
      this.#wrong.push(`nothing moved: ${refusals.join("; ")}`);
    const expected = this.#options.isPatient ? / (way|moving|moves|answer|there)\b/ : / (way|moving|moves)\b/;
    this.#wrong.push(...refusals.filter((refusal) => !expected.test(refusal)));
    for (const name of names) this.#requireOneOwner(name);
  }

  /** Resolves why it was refused. */
  async #move(name: ModuleName, to: Where): Promise<string | undefined> {
    try {
      await this.#moving.move(name, to, this.#options.isPatient ? moveModule : undefined);
      this.#options.tell(`${name} ${to}`);
      return undefined;
    } catch (error) {
      if (!isProblem(error)) throw error;
      this.#options.tell(`${name} ${to} refused: ${error.message}`);
      return error.message;
    }
  }

  #requireOneOwner(name: ModuleName): void {
    const { owners } = this.#moving;
    const { pid } = this.#moving.process(name, this.#moving.where(name));
    const found = owners.of(name);
    if (found.length !== 1 || found[0] !== pid) {
      this.#wrong.push(`${name} is ${this.#moving.where(name)}, and is open in ${found.length} processes`);
    }
  }

  async #moveWithWaits(admin: Session, opening: Map<string, number>, placed: Set<string>): Promise<void> {
    const { shop, redis } = this.#moving;
    const waits = await openWaits(shop.url, redis.url, admin, this.#options.waits, opening, placed);
    this.#options.tell(`${this.#options.waits} wait`);
    for (let times = 0; times < 2; times += 1) await this.#moveAtOnce(["orders"]);
    this.#wrong.push(...(await waits.letGo()));
    this.#options.tell(`${this.#options.waits} have been answered`);
  }

  #judgeOutcomes(outcomes: readonly Outcome[]): void {
    for (const { kind, tookMs, failure } of outcomes) {
      const isSlow = !this.#options.isPatient && tookMs > (kind === "decision" ? SLOW_DECISION_MS : SLOW_MS);
      const fault = failure ?? (isSlow ? "it is slow" : undefined);
      if (fault !== undefined) this.#wrong.push(`${kind} after ${Math.round(tookMs)} ms: ${fault}`);
    }
  }

  #proof(outcomes: readonly Outcome[], told: string): Proof {
    const { owners } = this.#moving;
    const gatesMs = this.#moving.gateTimes().map(({ waitedMs }) => waitedMs);
    const gateMs = median(gatesMs);
    if (gateMs >= GATE_MEDIAN_MS && !this.#options.isPatient)
      this.#wrong.push(`the gate was closed for ${gateMs} ms at the median`);
    this.#wrong.push(...owners.wrong, ...(this.#options.isPatient ? [] : this.#moving.warnings()));
    const slowest = (isDecision: boolean) => {
      const some = outcomes.filter(({ kind }) => (kind === "decision") === isDecision);
      return Math.round(Math.max(0, ...some.map(({ tookMs }) => tookMs)));
    };
    const failed = outcomes.filter(({ failure }) => failure !== undefined).length;
    return {
      told: `${this.#moves} moves, ${this.#refused} refused; the gate was closed for ${gateMs} ms at the median, ${Math.max(...gatesMs)} at most; ${outcomes.length} requests, failed ${failed}, slowest ${slowest(false)} ms, a decision ${slowest(true)} ms; ${owners.looks} looks at who is the owner; ${told}`,
      wrong: this.#wrong,
      moves: this.#moves,
      gatesMs,
      killedAfter: [],
      details: [describeOutcomes(outcomes), ...this.#moving.outputs()],
    };
  }
}

function untilAnswered(traffic: Traffic, requests: number): Promise<void> {
  return until(`${requests} requests are answered`, () => traffic.outcomes.length >= requests);
}
