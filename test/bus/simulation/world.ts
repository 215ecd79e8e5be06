import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import type { Position } from "../../../src/store/store.ts";
import { chooseFaults, type Module } from "./faults.ts";
import { requireAllApplied } from "./history.ts";
import { createRandom, type Random } from "./random.ts";
import { createScheduler, type Scheduler } from "./scheduler.ts";
import { GROUP_SIZE, startProcess, WINDOW_ROWS } from "./simulated-module.ts";
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

/**
 * Runs one seed: a time of faults, a time to settle, then the question whether anything was lost or doubled.
 * @throws Error that says what was
 */
export async function simulate(seed: number): Promise<void> {
  const world = new World(seed);
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
  readonly #modules: Module[];
  #lastNumber = 0;
  #faulty = true;
  #overlapped = false;
  #away: Module | undefined;

  constructor(seed: number) {
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
    this.#modules = MODULES.map((module) => ({
      options: {
        ...module,
        folder: this.#folder,
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
      processes: [],
    }));
  }

  async run(): Promise<void> {
    for (const module of this.#modules) this.#startLater(module, this.#random.chance(0.3) ? FAULTS_MS : 0);
    this.#repeatedly(400, () => this.#someoneSpeaks());
    chooseFaults({
      random: this.#random,
      scheduler: this.#scheduler,
      redis: this.#redis,
      modules: this.#modules,
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
    this.#add(module);
  }

  #add(module: Module): void {
    // Whoever dies is started again, killed by poison or by a fault.
    const onDeath = () => this.#startLater(module, this.#random.chance(0.2) ? 4_000 : 300);
    const others = module.processes.filter(({ alive }) => alive);
    if (others.length > 0) this.#overlapped = true;
    module.processes = [...others, startProcess(module.options, onDeath)];
  }

  #someoneSpeaks(): void {
    const processes = this.#modules[0]?.processes.filter(({ alive }) => alive) ?? [];
    if (processes.length === 0) return;
    for (let count = this.#random.integer(1, 4); count > 0; count -= 1) this.#random.pick(processes).say();
  }

  async #isSettled(): Promise<boolean> {
    for (const { options, processes } of this.#modules.filter((module) => module !== this.#away)) {
      const [process, ...others] = processes.filter(({ alive }) => alive);
      if (process === undefined || others.length > 0 || !(await process.isSettled())) return false;
      for (const publisher of options.publishers) {
        const head = await this.#storeOf(publisher)?.log.head();
        if (head !== undefined && !positionsOf(process.store, publisher).some(isAtOrBeyond(head))) return false;
      }
    }
    return true;
  }

  #storeOf(name: string) {
    return this.#modules.find(({ options }) => options.name === name)?.processes.find(({ alive }) => alive)?.store;
  }

  #check(): void {
    for (const { options } of this.#modules) {
      const subscriber = this.#storeOf(options.name);
      for (const publisher of options.publishers.map((name) => this.#storeOf(name))) {
        if (publisher === undefined || subscriber === undefined) throw new Error("not all run");
        requireAllApplied({ publisher, subscriber, isPoison: options.isPoison });
      }
    }
  }

  async #describe(): Promise<string> {
    const lines = this.#modules.map(async ({ options: { name, publishers }, processes }) => {
      const alive = processes.filter((process) => process.alive);
      const [store] = alive.map((process) => process.store);
      const heard = publishers.map(
        (publisher) => `${publisher} ${JSON.stringify(store && positionsOf(store, publisher))}`,
      );
      const log = `${await store?.log.floor()}..${JSON.stringify(await store?.log.head())}`;
      return `${name}: ${alive.length} processes, log ${log}, heard ${heard}`;
    });
    return [...(await Promise.all(lines)), this.#redis.describe()].join("\n");
  }
}

function positionsOf(store: SqliteStore, publisher: string): Position[] {
  return store
    .prepare<[string], Position>("SELECT epoch, seq FROM cursors WHERE publisher = ? ORDER BY id DESC")
    .all(publisher);
}

const isAtOrBeyond = (head: Position) => (position: Position) =>
  position.epoch === head.epoch && position.seq >= head.seq;
