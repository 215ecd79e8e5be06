import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import type { Position } from "../../../src/store/store.ts";
import { chooseFaults, type Module } from "./faults.ts";
import { newestRow, positionsOf, requireAllApplied, requireNotAhead } from "./history.ts";
import type { PostgresFault } from "./postgres-faults.ts";
import { createRandom, type Random } from "./random.ts";
import { createScheduler, type Scheduler } from "./scheduler.ts";
import { GROUP_SIZE, startProcess, WINDOW_ROWS } from "./simulated-module.ts";
import { type EpochPart, SimulatedPostgres } from "./simulated-postgres.ts";
import { createSimulatedRedis, LATEST_MS, type SimulatedRedis } from "./simulated-redis.ts";

/** The faults come in this time; then all must become well. */
const FAULTS_MS = 12_000;
const SETTLE_MS = 60_000;
const SETTLE_POLL_MS = 250;

/** So much later all who are there are known to be, and nobody else; and a loss is mended. */
const CALM_MS = 3_500;

/**
 * In this time whoever was restored has said where it stands. One that goes away before that needs rows again of which nobody knows, and
 * which are gone when the window has passed: the window is to be longer than backups are old and a restored module is away.
 */
const REPORTED_MS = 2 * CALM_MS;

/** One that passes several times, and one that allows for old backups. */
const PRUNE_WINDOWS_MS = [4_500, 12_000];

/** Shops publish, stocks answers what it hears and mail only listens; shops hears the answers. */
const MODULES = [
  { name: "shops", publishers: ["stocks"], subscribers: ["mail", "stocks"], answers: false },
  { name: "stocks", publishers: ["shops"], subscribers: ["shops"], answers: true },
  { name: "mail", publishers: ["shops"], subscribers: [], answers: false },
];

/** What is otherwise than in the usual worlds. */
export interface Variant {
  /** A part that is left out of the epochs of PostgreSQL. */
  readonly without?: EpochPart;
  /** What happens often to it. */
  readonly often?: PostgresFault;
}

/**
 * Runs one seed: a time of faults, a time to settle, then the question whether anything was lost or doubled.
 * @throws Error that says what was
 */
export async function simulate(seed: number, variant: Variant = {}): Promise<void> {
  const world = new World(seed, variant);
  try {
    await world.run();
  } finally {
    world.remove();
  }
}

class World {
  readonly #random: Random;
  readonly #scheduler: Scheduler = createScheduler();
  readonly #redis: SimulatedRedis;
  readonly #folder: string;
  readonly #oldestBackupMs: number;
  readonly #often: PostgresFault | undefined;
  readonly #postgres: SimulatedPostgres;
  readonly #modules: Module[];
  #lastNumber = 0;
  #faulty = true;
  #overlapped = false;
  #away: Module | undefined;

  constructor(seed: number, { without, often }: Variant) {
    this.#often = often;
    // Neighbouring seeds begin alike.
    this.#random = createRandom(Math.imul(seed, 0x9e3779b1));
    this.#redis = createSimulatedRedis(this.#scheduler, this.#random);
    // Deadly events cost many starts, so that not every seed has one.
    const deadly = this.#random.integer(1, 600);
    const isDeadly = (number: number) => number === deadly;
    const isPoison = (number: number) => isDeadly(number) || number % 67 === 0;
    const pruneWindowMs = this.#random.pick(PRUNE_WINDOWS_MS);
    this.#oldestBackupMs = pruneWindowMs / 3;
    this.#folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "simulation-"));
    this.#postgres = new SimulatedPostgres({
      names: MODULES.map(({ name }) => name).filter(() => this.#random.chance(0.5)),
      folder: this.#folder,
      scheduler: this.#scheduler,
      random: this.#random,
      without,
      onForgotten: (name, waiting) => this.#forgotten(name, waiting),
    });
    this.#modules = MODULES.map((module) => ({
      options: {
        ...module,
        folder: this.#folder,
        postgres: this.#postgres.names.includes(module.name) ? this.#postgres : undefined,
        pruneWindowMs,
        nextNumber: () => ++this.#lastNumber,
        isPoison,
        isDeadly,
        scheduler: this.#scheduler,
        random: this.#random,
        redis: this.#redis,
      },
      file: join(this.#folder, `${module.name}.db`),
      backups: [],
      renumbered: new Set(),
      processes: [],
    }));
  }

  async run(): Promise<void> {
    for (const module of this.#modules) this.#startLater(module, this.#random.chance(0.3) ? FAULTS_MS : 0);
    this.#repeatedly(400, () => this.#someoneSpeaks());
    this.#repeatedly(1_000, () => this.#requireNobodyAhead());
    chooseFaults({
      random: this.#random,
      scheduler: this.#scheduler,
      redis: this.#redis,
      modules: this.#modules,
      postgres: this.#postgres,
      often: this.#often,
      faultsMs: FAULTS_MS,
      oldestBackupMs: this.#oldestBackupMs,
      repeatedly: (aboutEveryMs, what) => this.#repeatedly(aboutEveryMs, what),
      add: (module) => this.#add(module),
    });
    await this.#scheduler.runUntil(FAULTS_MS);
    this.#faulty = false;
    this.#redis.away = false;
    this.#redis.unreliability = 0;
    const away = this.#random.chance(0.3) ? this.#random.pick(this.#modules.slice(1)) : undefined;
    if (away !== undefined && (away.restoredAtMs ?? 0) < FAULTS_MS - REPORTED_MS) await this.#goOnWithout(away);
    await this.#settle();
    this.#check();
    await this.#loseAll();
    this.#requireSmallStreams();
    await this.#startServerAgain();
  }

  /** Nobody waits for one that is away, who gets all when it comes. */
  async #goOnWithout(module: Module): Promise<void> {
    this.#away = module;
    for (const process of module.processes) process.crash();
    for (let count = 8; count > 0; count -= 1) {
      this.#scheduler.after(this.#random.integer(0, LATEST_MS), () => this.#someoneSpeaks());
    }
    await this.#calmDown();
    const rows = await this.#rowsAppendedBy(async () => {
      for (const process of this.#modules[0]?.processes ?? []) process.crash();
      await this.#settle();
    });
    if (rows > 0) throw new Error(`${rows} rows were brought for one that is away when a publisher started again`);
    this.#away = undefined;
    this.#start(module);
  }

  /** Until nothing comes late any more, and each stream, while all are there, is trimmed to the row that all have reached. */
  async #calmDown(): Promise<void> {
    const quietMs = Math.max(this.#scheduler.now(), FAULTS_MS + LATEST_MS);
    await this.#scheduler.runUntil(quietMs + CALM_MS);
    const isTrimmed = () => this.#away !== undefined || this.#redis.size <= this.#modules.length;
    await this.#settle(async () => (await this.#isSettled()) && isTrimmed());
  }

  async #settle(isSettled = () => this.#isSettled()): Promise<void> {
    const startMs = this.#scheduler.now();
    for (let endMs = startMs; !(await this.#scheduler.answerOf(isSettled())); endMs += SETTLE_POLL_MS) {
      if (endMs > startMs + SETTLE_MS)
        throw new Error(`not everything was applied\n${await this.#scheduler.answerOf(this.#describe())}`);
      await this.#scheduler.runUntil(endMs);
    }
  }

  /** What everybody has applied is not brought again, however long the log is. */
  async #loseAll(): Promise<void> {
    await this.#calmDown();
    const rows = await this.#rowsAppendedBy(async () => {
      this.#redis.flush();
      await this.#scheduler.runUntil(this.#scheduler.now() + CALM_MS);
      await this.#settle();
    });
    if (rows > 2 * GROUP_SIZE) throw new Error(`${rows} rows that all have applied were brought again`);
  }

  /** A server that starts again has forgotten nothing: its next rows go on after those that are there, and nothing is brought again. */
  async #startServerAgain(): Promise<void> {
    if (!this.#postgres.isUp) return;
    const before = this.#rowsInLogs();
    const processes = this.#modules.flatMap((module) => module.processes);
    const brought = await this.#rowsAppendedBy(async () => {
      this.#postgres.restart();
      await this.#scheduler.runUntil(this.#scheduler.now() + CALM_MS);
      this.#someoneSpeaks();
      await this.#scheduler.runUntil(this.#scheduler.now() + CALM_MS);
      await this.#settle();
    });
    this.#check();
    if (!processes.every(({ alive }) => alive)) return; // killed by poison
    const added = this.#rowsInLogs() - before;
    if (added === 0 || brought !== added) throw new Error(`${brought} rows were brought after a start, not ${added}`);
  }

  #rowsInLogs(): number {
    return this.#modules.reduce((rows, { options }) => rows + newestRow(this.#databaseOf(options.name)), 0);
  }

  async #rowsAppendedBy(what: () => Promise<void>): Promise<number> {
    const before = this.#redis.appended;
    await what();
    return this.#redis.appended - before;
  }

  /** A window, the row before it, and what a dead relay still had on its way; two relays, or a Redis that went back, mend more at the next look. */
  #requireSmallStreams(): void {
    const { largest, wentBack } = this.#redis;
    const most = wentBack || this.#overlapped ? 3 * WINDOW_ROWS : WINDOW_ROWS + 1 + GROUP_SIZE;
    if (largest > most) throw new Error(`a stream had ${largest} rows, not ${most} at most`);
  }

  remove(): void {
    for (const { processes } of this.#modules) for (const process of processes) process.crash();
    this.#postgres.stop();
    setImmediate(() => rmSync(this.#folder, { recursive: true }));
  }

  #repeatedly(aboutEveryMs: number, what: () => void): void {
    this.#scheduler.after(this.#random.fraction() * 2 * aboutEveryMs, () => {
      if (!this.#faulty) return;
      what();
      this.#repeatedly(aboutEveryMs, what);
    });
  }

  #startLater(module: Module, withinMs: number): void {
    this.#scheduler.after(this.#random.fraction() * withinMs, () => this.#start(module));
  }

  #start(module: Module): void {
    if (module === this.#away || module.processes.some(({ alive }) => alive)) return;
    if (isReachable(module)) this.#add(module);
    else this.#startLater(module, 300);
  }

  #add(module: Module): void {
    if (!isReachable(module)) return;
    // Whoever dies is started again, killed by poison or by a fault.
    const onDeath = () => this.#startLater(module, this.#random.chance(0.2) ? 4_000 : 300);
    const others = module.processes.filter(({ alive }) => alive);
    if (others.length > 0) this.#overlapped = true;
    module.processes = [...others, startProcess(module.options, onDeath)];
  }

  /** A module's database has gone back. */
  #forgotten(name: string, waiting: readonly number[]): void {
    const module = this.#modules.find(({ options }) => options.name === name);
    if (module === undefined) return;
    module.restoredAtMs = this.#scheduler.now();
    for (const number of waiting) module.renumbered.add(number);
  }

  #someoneSpeaks(): void {
    const processes = this.#modules[0]?.processes.filter(({ alive }) => alive) ?? [];
    if (processes.length === 0) return;
    for (let count = this.#random.integer(1, 4); count > 0; count -= 1) this.#random.pick(processes).say();
  }

  /** A server forgets rows only when it becomes another one, so that nobody has applied more of it than there is. */
  #requireNobodyAhead(): void {
    for (const { options } of this.#modules) {
      for (const publisher of options.publishers) {
        const [from, by] = [publisher, options.name].map((name) => this.#databaseOf(name));
        if (from === undefined || by === undefined || !this.#postgres.names.includes(publisher)) continue;
        requireNotAhead(from, by, this.#postgres.epochOf(publisher));
      }
    }
  }

  /** The database of a module that runs. */
  #databaseOf(name: string): SqliteStore | undefined {
    return this.#postgres.names.includes(name) ? this.#postgres.storeOf(name) : this.#storeOf(name);
  }

  /** Looks twice: while it looks at one, another may answer. */
  async #isSettled(): Promise<boolean> {
    return (await this.#looksSettled()) && (await this.#looksSettled());
  }

  async #looksSettled(): Promise<boolean> {
    if (!this.#modules.every(isReachable)) return false;
    for (const { options, processes } of this.#modules.filter((module) => module !== this.#away)) {
      const [process, ...others] = processes.filter(({ alive }) => alive);
      if (process === undefined || others.length > 0 || !(await process.isSettled())) return false;
      for (const publisher of options.publishers.filter((name) => name !== this.#away?.options.name)) {
        const head = await this.#databaseOf(publisher)?.log.head();
        const database = this.#databaseOf(options.name);
        if (head !== undefined && database && !positionsOf(database, publisher).some(isAtOrBeyond(head))) return false;
      }
    }
    return true;
  }

  #storeOf(name: string) {
    return this.#modules.find(({ options }) => options.name === name)?.processes.find(({ alive }) => alive)?.store;
  }

  #check(): void {
    this.#requireNobodyAhead();
    for (const { options } of this.#modules) {
      const subscriber = this.#databaseOf(options.name);
      for (const module of this.#modules.filter(({ options: { name } }) => options.publishers.includes(name))) {
        const publisher = this.#databaseOf(module.options.name);
        if (publisher === undefined || subscriber === undefined) throw new Error("not all run");
        requireAllApplied({ publisher, subscriber, isPoison: options.isPoison, renumbered: module.renumbered });
      }
    }
  }

  async #describe(): Promise<string> {
    const lines = this.#modules.map(async ({ options: { name, publishers }, processes }) => {
      const alive = processes.filter((process) => process.alive);
      const store = this.#databaseOf(name);
      const heard = publishers.map(
        (publisher) => `${publisher} ${JSON.stringify(store && positionsOf(store, publisher))}`,
      );
      const log = `${await store?.log.floor()}..${JSON.stringify(await store?.log.head())}`;
      return `${name}: ${alive.length} processes, log ${log}, heard ${heard}`;
    });
    return [...(await Promise.all(lines)), this.#redis.describe()].join("\n");
  }
}

function isReachable({ options: { name, postgres } }: Module): boolean {
  return postgres === undefined || postgres.storeOf(name) !== undefined;
}

const isAtOrBeyond = (head: Position) => (position: Position) =>
  position.epoch === head.epoch && position.seq >= head.seq;
