import { HOME, type PlaceName } from "../../../src/runtime/move/placement.ts";
import type { Seat } from "../../../src/runtime/move/protocol.ts";
import { createRandom, type Random } from "../../bus/simulation/random.ts";
import type { Result } from "./call.ts";
import { Disk, type Fence } from "./disk.ts";
import { createEvents, type Events } from "./events.ts";
import type { Surroundings } from "./life.ts";
import { GRACE_MS } from "./simulated-calls.ts";
import { SimulatedProcess } from "./simulated-process.ts";

/** The faults come in this time; within the next all must be well, for it is longer than an owner may be absent. */
const FAULTS_MS = 30_000;
const SETTLE_MS = 16_000;
const LAST_CALLS_MS = 5_000;

/** The home, two standbys, and one that only calls. */
const SEATS: readonly (readonly [name: string, seat: Seat | undefined])[] = [
  ["home", { place: HOME, url: null }],
  ["b", { place: "b", url: "http://b" }],
  ["c", { place: "c", url: "http://c" }],
  ["caller", undefined],
];

/** What one seed was about, and what came of it. */
export interface Outcome {
  /** The largest generation: how often the module got another owner. */
  readonly generation: number;
  readonly done: number;
  readonly notBegun: number;
  readonly unknown: number;
  /** The longest that an answer took which was `done` and waited for nothing, in milliseconds. */
  readonly slowestMs: number;
}

export interface Variant {
  /** The fence that is left out. */
  readonly without?: Fence;
  /** Moves alone, in which nothing fails. */
  readonly isClean?: boolean;
}

/**
 * Runs one seed.
 * @throws Error that says which promise was broken: two had the store open, an acknowledged row is lost, a refused one is there, a call was
 *   not answered in time, or in the end there is not one owner whom all reach
 */
export function simulate(seed: number, variant: Variant = {}): Outcome {
  return new World(seed, variant).run();
}

class World {
  readonly #random: Random;
  readonly #events: Events = createEvents();
  readonly #disk: Disk;
  readonly #around: Surroundings;
  readonly #processes = new Map<string, SimulatedProcess>();
  readonly #isClean: boolean;
  readonly #crashes: number;
  readonly #stops: number;
  readonly #losses: number;
  #isFaulty = true;
  #gone: string | undefined;
  #lastRow = 0;
  readonly #done: number[] = [];
  readonly #notBegun = new Set<number>();
  #unknown = 0;
  #slowestMs = 0;

  constructor(seed: number, { without, isClean = false }: Variant) {
    this.#random = createRandom(Math.imul(seed, 0x9e3779b1));
    this.#disk = new Disk(without);
    this.#isClean = isClean;
    this.#isFaulty = !isClean;
    const random = this.#random;
    this.#crashes = random.pick([0, 0.0005, 0.002, 0.01]);
    this.#stops = random.pick([0, 0.0005, 0.002]);
    this.#losses = random.pick([0, 0.05, 0.3]);
    this.#around = {
      events: this.#events,
      random,
      disk: this.#disk,
      without,
      isFaulty: () => this.#isFaulty,
      between: (process) => this.#between(process),
      crash: (process, restartMs) => this.#crash(process, restartMs),
      send: (to, what, from) => this.#send(to, what, from),
      at: (place) => [...this.#processes.values()].find(({ seat, life }) => life.isAlive && seat?.place === place),
    };
  }

  run(): Outcome {
    for (const [name] of SEATS) this.#start(name);
    this.#repeatedly(this.#isClean ? 3_000 : 2_000, () => this.#move());
    this.#repeatedly(150, () => this.#call());
    this.#events.runUntil(FAULTS_MS);
    this.#isFaulty = false;
    // One may never come back, also where it is the owner.
    this.#gone = this.#isClean ? undefined : this.#random.pick(["home", "b", "c", undefined]);
    for (const [name, process] of this.#processes) {
      if (name === this.#gone) process.life.end();
      else this.#recover(name);
    }
    this.#events.runUntil(FAULTS_MS + SETTLE_MS);
    this.#requireOneOwner();
    this.#requireAllReach();
    this.#requireKept();
    return {
      generation: this.#disk.record.generation,
      done: this.#done.length,
      notBegun: this.#notBegun.size,
      unknown: this.#unknown,
      slowestMs: this.#slowestMs,
    };
  }

  #start(name: string): void {
    const [, seat] = SEATS.find(([other]) => other === name) ?? [];
    this.#processes.set(name, new SimulatedProcess(name, seat, this.#around));
  }

  #recover(name: string): void {
    if (this.#gone === name) return;
    const process = this.#processes.get(name);
    if (process?.life.isAlive !== true) this.#start(name);
    else process.life.goOn();
  }

  /** Any two steps may have a crash between them, or a pause. */
  #between(process: SimulatedProcess): void {
    if (!this.#isFaulty) return;
    const isOnTheWay = process.state?.is === "giving" || process.state?.is === "taking";
    const often = isOnTheWay ? 5 : 1;
    if (this.#random.chance(this.#crashes * often)) {
      this.#crash(process, this.#random.pick([10, 500, 3_000, 15_000]));
    } else if (this.#random.chance(this.#stops * often)) {
      process.life.stop();
      this.#events.after(this.#random.pick([100, 2_000, 12_000]), () => this.#recover(process.name));
    }
  }

  #crash(process: SimulatedProcess, restartMs: number): void {
    process.life.end();
    this.#events.after(restartMs, () => this.#recover(process.name));
  }

  #send(to: PlaceName | "all", what: (process: SimulatedProcess) => void, from: SimulatedProcess): void {
    const { integer, chance } = this.#random;
    for (const name of this.#processes.keys()) {
      if (name === from.name || (to !== "all" && this.#processes.get(name)?.seat?.place !== to)) continue;
      const times = this.#isFaulty && chance(this.#losses) ? this.#random.pick([0, 2]) : 1;
      for (let time = 0; time < times; time += 1) {
        const delayMs = this.#isFaulty && chance(this.#losses) ? integer(0, 15_000) : integer(0, 5);
        this.#events.after(delayMs, () => {
          const process = this.#processes.get(name);
          process?.life.now(() => what(process));
        });
      }
    }
  }

  /** An operator asks whoever has it to give it to somebody. */
  #move(): void {
    const [, to] = this.#random.pick(SEATS.slice(0, 3));
    const owner = this.#around.at(this.#disk.record.owner);
    if (to !== undefined) owner?.life.now(() => owner.hear({ is: "give", to }));
  }

  #call(): void {
    const { pick, integer, chance } = this.#random;
    const process = this.#processes.get(pick(SEATS)[0]);
    if (process?.life.isAlive !== true) return;
    const row = ++this.#lastRow;
    const startedMs = this.#events.now();
    const deadlineMs = startedMs + integer(500, 5_000);
    const waitMs = chance(0.3) ? integer(0, 4_000) : 0;
    const answered = (result: Result) => {
      this.#note(row, result);
      const tookMs = this.#events.now() - startedMs;
      if (waitMs === 0 && result === "done") this.#slowestMs = Math.max(this.#slowestMs, tookMs);
    };
    process.life.now(() => this.#placeCall(process, { row, deadlineMs, waitMs }, answered));
  }

  #placeCall(
    process: SimulatedProcess,
    call: Parameters<SimulatedProcess["calls"]["place"]>[0],
    answered: (result: Result) => void,
  ): void {
    let isAnswered = false;
    process.calls.place(call, (result) => {
      isAnswered = true;
      answered(result);
    });
    this.#events.after(call.deadlineMs + GRACE_MS + 1 - this.#events.now(), () => {
      if (isAnswered || !process.life.isAlive || process.life.wasStopped) return;
      throw new Error(`the caller of row ${call.row} is not answered by its deadline`);
    });
  }

  #note(row: number, result: Result): void {
    if (result === "done") this.#done.push(row);
    else if (result === "not-begun") this.#notBegun.add(row);
    else this.#unknown += 1;
  }

  #repeatedly(aboutEveryMs: number, what: () => void): void {
    this.#events.after(this.#random.integer(1, 2 * aboutEveryMs), () => {
      if (this.#events.now() >= FAULTS_MS) return;
      what();
      this.#repeatedly(aboutEveryMs, what);
    });
  }

  #requireOneOwner(): void {
    const { record } = this.#disk;
    const owners = [...this.#processes.values()].filter((process) => this.#disk.isOpenBy(process));
    const told = `${record.owner} is named (${record.generation}), open: ${owners.map(({ name }) => name)}, ${this.#states()}`;
    if (owners.length !== 1 || owners[0]?.seat?.place !== record.owner) throw new Error(`not one owner: ${told}`);
    if (owners[0].state?.is !== "serving") throw new Error(`the owner does not serve: ${told}`);
  }

  #states(): string {
    return [...this.#processes.values()].map(({ name, state }) => `${name} ${JSON.stringify(state)}`).join("; ");
  }

  #requireAllReach(): void {
    const missing: string[] = [];
    for (const process of this.#processes.values()) {
      if (!process.life.isAlive) continue;
      const row = ++this.#lastRow;
      let ended: Result | undefined;
      process.calls.place({ row, deadlineMs: this.#events.now() + LAST_CALLS_MS, waitMs: 0 }, (result) => {
        ended = result;
        this.#note(row, result);
      });
      this.#events.runUntil(this.#events.now() + LAST_CALLS_MS + GRACE_MS + 1);
      if (ended !== "done") missing.push(`${process.name}: ${ended}, ${JSON.stringify(process.calls.placement)}`);
    }
    if (missing.length > 0) throw new Error(`the owner is not reached by ${missing.join("; ")}; ${this.#states()}`);
  }

  #requireKept(): void {
    const kept = new Set(this.#disk.rows);
    if (kept.size !== this.#disk.rows.length) throw new Error("a row was written twice");
    const lost = this.#done.filter((row) => !kept.has(row));
    if (lost.length > 0) throw new Error(`acknowledged and lost: rows ${lost}`);
    const surprising = [...this.#notBegun].filter((row) => kept.has(row));
    if (surprising.length > 0) throw new Error(`told as not begun, and there: rows ${surprising}`);
  }
}
