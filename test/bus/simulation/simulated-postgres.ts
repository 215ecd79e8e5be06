import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { createCursors } from "../../../src/store/cursors.ts";
import { INCARNATION } from "../../../src/store/engines/postgres/incarnation.ts";
import type { SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import { cannotWrite } from "../../../src/store/environment-fault.ts";
import { StoredLog } from "../../../src/store/log/stored-log.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { openSimulatedStore, type SimulatedStore } from "./simulated-store.ts";

/** What an epoch is made of. */
export type EpochPart = keyof typeof INCARNATION;

/** The longest time in which a server is away when it starts again, or another one takes over. */
export const LONGEST_START_MS = 1_500;

/** The first number that a cluster gives to a table of ours. */
const FIRST_TABLE = 16_384;

interface Incarnation {
  readonly cluster: number;
  readonly timeline: number;
  readonly startedAt: number;
  /** The number of each module's table. */
  readonly tables: ReadonlyMap<string, number>;
  readonly nextTable: number;
}

/** All that a server had on its disk at one moment. */
interface Copy {
  readonly incarnation: Incarnation;
  readonly bytes: ReadonlyMap<string, Buffer>;
}

export interface SimulatedPostgresOptions {
  /** The modules whose schemas it has. */
  readonly names: readonly string[];
  readonly folder: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Left out of the epoch, to see what goes wrong. */
  readonly without: EpochPart | undefined;
  /** Called when a schema has gone back, with the numbers that its module has said but not numbered then. */
  readonly onForgotten: (name: string, waiting: readonly number[]) => void;
}

/**
 * A server with the schemas of some modules, each a SQLite file, whose processes go on when it ends, starts again, or is replaced by one that has
 * forgotten rows. Machines that start in the same moment have the same time of start; no two starts of one machine have.
 */
export class SimulatedPostgres {
  readonly #options: SimulatedPostgresOptions;
  readonly #open = new Map<string, SimulatedStore>();
  /** What it has on its disk when it starts. */
  readonly #toPutBack = new Map<string, Buffer>();
  #cancelStart = () => {};
  #incarnation: Incarnation;
  #highestTimeline = 1;
  #lastStart = 0;
  /** When the standby was started, which has been following this server since. */
  #standbyStartedAt = 0;
  /** How often it has gone back. */
  #goneBack = 0;

  constructor(options: SimulatedPostgresOptions) {
    this.#options = options;
    this.#incarnation = this.#newCluster();
    this.#start();
  }

  get isUp(): boolean {
    return this.#open.size > 0;
  }

  get names(): readonly string[] {
    return this.#options.names;
  }

  /** The database of a module, undefined while the server is away. */
  storeOf(name: string): SqliteStore | undefined {
    return this.#open.get(name)?.store;
  }

  /** The name of the rows that a module numbers now, as the engine makes it. */
  epochOf(name: string): string {
    const { cluster, timeline, startedAt, tables } = this.#incarnation;
    const parts: Record<EpochPart, number> = { cluster, timeline, startedAt, table: tables.get(name) ?? 0 };
    const { without } = this.#options;
    const taken = Object.keys(INCARNATION).filter((part) => part !== without) as EpochPart[];
    return taken.map((part) => parts[part]).join("-");
  }

  /** What a process of a module works with. @param after what waits with it, and ends with it */
  connect(name: string, after: Scheduler["after"], isAlive: () => boolean): SqliteStore {
    const { scheduler, random } = this.#options;
    const opened = this.storeOf(name);
    if (opened === undefined) throw new Error("who starts needs a server");
    const ask = <T>(what: (store: SqliteStore) => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        after(random.integer(0, 3), () => {
          const store = this.storeOf(name);
          if (store === undefined) return reject(cannotWrite(new Error("connection refused")));
          what(store).then(
            (answer) => isAlive() && resolve(answer),
            (error) => isAlive() && reject(error),
          );
        });
      });
    const read: Store["read"] = (work) => ask((store) => store.read(work));
    const write: Store["write"] = (work) =>
      ask((store) =>
        store.write((unit) => {
          if (!isAlive()) throw new Error("killed");
          return work(unit);
        }),
      );
    const log = new StoredLog({ read, write, settledNow: scheduler.now });
    return { ...opened, read, write, log, cursors: createCursors({ read, write, now: scheduler.now }) };
  }

  /** It crashes, and recovers all. */
  restart(): void {
    this.#startAs({ ...this.#incarnation, startedAt: this.#nextStart() });
  }

  /** It crashes and so does the standby, and both start in the same moment. */
  cutPower(): void {
    this.restart();
    this.#standbyStartedAt = this.#incarnation.startedAt;
  }

  /** Lets the standby fall behind. @returns its promotion */
  standBy(): () => void {
    const { bytes } = this.#copy();
    const since = this.#goneBack;
    return () => {
      if (since !== this.#goneBack) return; // it followed another
      const timeline = this.#incarnation.timeline + 1;
      this.#goBack({ ...this.#incarnation, timeline, startedAt: this.#standbyStartedAt }, bytes);
    };
  }

  /** Copies its folder. @returns the start of the copy in its place */
  copyVolume(): () => void {
    const { incarnation, bytes } = this.#copy();
    return () => this.#goBack({ ...incarnation, startedAt: this.#nextStart() }, bytes);
  }

  /** @returns what takes it back to this moment by its archive */
  rememberMoment(): () => void {
    const { incarnation, bytes } = this.#copy();
    return () => {
      const { cluster, timeline } = incarnation;
      // Where others' timelines are in the archive it takes the next after all of them.
      const hasAll = cluster === this.#incarnation.cluster && this.#options.random.chance(0.5);
      const before = hasAll ? this.#highestTimeline : timeline;
      this.#goBack({ ...incarnation, timeline: before + 1, startedAt: this.#nextStart() }, bytes);
    };
  }

  /** Dumps a schema, or all. @returns the restore into the server that there is then, while it runs */
  dump(): () => void {
    const { random } = this.#options;
    const { bytes } = this.#copy(random.chance(0.5) ? [random.pick(this.names)] : this.names);
    return () => {
      const { tables, nextTable } = this.#incarnation;
      const restored = [...bytes.keys()].map((name, index) => [name, nextTable + index] as const);
      this.#goBack(
        { ...this.#incarnation, tables: new Map([...tables, ...restored]), nextTable: nextTable + bytes.size },
        bytes,
      );
    };
  }

  /** Dumps all schemas. @returns the restore into a new cluster, on a machine that was started in the same moment as this one */
  dumpForAnother(): () => void {
    const { bytes } = this.#copy();
    return () => {
      const { startedAt } = this.#incarnation;
      this.#goBack({ ...this.#newCluster(), startedAt }, bytes);
    };
  }

  /** Ends it for ever. */
  stop(): void {
    for (const { kill } of this.#open.values()) kill();
    this.#open.clear();
  }

  #newCluster(): Incarnation {
    return {
      cluster: this.#options.random.integer(1, 2 ** 50),
      timeline: 1,
      startedAt: 0,
      tables: new Map(this.names.map((name, index) => [name, FIRST_TABLE + index])),
      nextTable: FIRST_TABLE + this.names.length,
    };
  }

  /** No two starts of one machine are of the same moment. */
  #nextStart(): number {
    this.#lastStart = Math.max(this.#lastStart + 1, this.#options.scheduler.now());
    return this.#lastStart;
  }

  #copy(names = this.names): Copy {
    const bytes = new Map<string, Buffer>();
    for (const name of names) {
      const database = new Database(this.#fileOf(name), { readonly: true });
      bytes.set(name, database.serialize());
      database.close();
    }
    return { incarnation: this.#incarnation, bytes };
  }

  #goBack(incarnation: Incarnation, bytes: Copy["bytes"]): void {
    this.#goneBack += 1;
    this.#standbyStartedAt = this.#nextStart();
    for (const [name, content] of bytes) this.#toPutBack.set(name, content);
    this.#startAs(incarnation);
  }

  #putBack(name: string, content: Buffer): void {
    const file = this.#fileOf(name);
    for (const suffix of ["-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
    writeFileSync(file, content);
    const database = new Database(file);
    const waiting = database.prepare<[], { number: number }>("SELECT number FROM arrivals").all();
    database.close();
    this.#options.onForgotten(
      name,
      waiting.map(({ number }) => number),
    );
  }

  /** After a while in which it is away. */
  #startAs(incarnation: Incarnation): void {
    this.stop();
    this.#cancelStart();
    this.#incarnation = incarnation;
    this.#highestTimeline = Math.max(this.#highestTimeline, incarnation.timeline);
    // The dead close their files a moment later.
    const { scheduler, random } = this.#options;
    this.#cancelStart = scheduler.after(random.integer(1, LONGEST_START_MS), () => this.#start());
  }

  #start(): void {
    const { folder, scheduler, random } = this.#options;
    for (const [name, content] of this.#toPutBack) this.#putBack(name, content);
    this.#toPutBack.clear();
    for (const name of this.names) {
      const epoch = () => this.epochOf(name);
      this.#open.set(name, openSimulatedStore({ name, folder, scheduler, random, epoch }));
    }
  }

  #fileOf(name: string): string {
    return join(this.#options.folder, `${name}.db`);
  }
}
