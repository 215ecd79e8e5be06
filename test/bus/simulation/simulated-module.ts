import Database from "better-sqlite3";
import { createOutage } from "../../../src/base/outage.ts";
import { createPace } from "../../../src/base/pace.ts";
import { type Consumer, createConsumer } from "../../../src/bus/follow/consumer.ts";
import { createRelay } from "../../../src/bus/relay.ts";
import type { Subscription } from "../../../src/bus/subscription.ts";
import type { SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import { sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Unit, Work } from "../../../src/store/unit.ts";
import { openModule, silent } from "../modules.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedRedis } from "./simulated-redis.ts";

export interface ModuleOptions {
  readonly name: string;
  readonly folder: string;
  /** The names of the modules that it subscribes to. */
  readonly publishers: readonly string[];
  /** The names of the modules that subscribe to it. */
  readonly subscribers: readonly string[];
  /** Whether it answers every event with one of its own. */
  readonly answers: boolean;
  readonly pruneWindowMs: number;
  /** A number that nobody has said before. */
  readonly nextNumber: () => number;
  /** An event that can never be applied. */
  readonly isPoison: (number: number) => boolean;
  /** Poison of which each try kills the process. */
  readonly isDeadly: (number: number) => boolean;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly redis: SimulatedRedis;
}

/** One process of a module: the real store, relay and subscriptions. Dead, nothing of it ever goes on. */
export interface SimulatedProcess {
  readonly store: SqliteStore;
  readonly alive: boolean;
  say(): void;
  /** Ends it between any two steps; what it had queued is never written. */
  crash(): void;
  isSettled(): Promise<boolean>;
}

export const GROUP_SIZE = 4;

/** Small, so that a log is often larger than what may be in Redis, and somebody is often taken to be away. */
export const WINDOW_ROWS = 12;
const PATIENCE_MS = 1_500;
const SILENT_MS = 2_500;

export function startProcess(options: ModuleOptions, onDeath: () => void): SimulatedProcess {
  const { name, folder, publishers, subscribers, scheduler, random, redis, pruneWindowMs } = options;
  let alive = true;
  let endSync = () => {};
  const after: Scheduler["after"] = (delayMs, run) => scheduler.after(delayMs, () => alive && run());
  const clock = { now: scheduler.now, after };
  const opened = openModule(name, folder, {
    schedule: (run) => void after(random.integer(0, 5), run),
    sync(_log, told) {
      let isOpen = true;
      endSync = () => {
        if (isOpen) told(null);
        isOpen = false;
      };
      scheduler.after(random.integer(0, 3), endSync);
      if (!alive) endSync();
    },
    now: scheduler.now,
    randomEpoch: () => String(random.integer(1, 2 ** 50)),
  });
  const write: Store["write"] = (work) =>
    opened.write((unit) => {
      if (!alive) throw killed();
      return work(unit);
    });
  const store: SqliteStore = { ...opened, write };
  const outage = createOutage({ what: "Redis", logger: silent, clock });
  const pace = createPace(clock);
  const replica = redis.replica(name, after);
  const relay = createRelay({
    log: store.log,
    database: store.database,
    replica,
    subscribers,
    pruneWindowMs,
    pace,
    clock,
    outage,
    appendSize: GROUP_SIZE,
    windowRows: WINDOW_ROWS,
    patienceMs: PATIENCE_MS,
    silentMs: SILENT_MS,
  });
  store.log.onAppended(pace.wake);

  function* say(unit: Unit): Work<void> {
    const number = options.nextNumber();
    yield* unit.append({ type: "number.said", subject: String(number), data: { number } });
    yield* unit.run(sql`INSERT INTO said (number) VALUES (${number})`);
  }

  function subscriptionTo(publisher: string): Subscription {
    return {
      publisher,
      *apply(unit, { data }) {
        const { number } = data as { number: number };
        yield* unit.run(sql`INSERT INTO applied (publisher, number) VALUES (${publisher}, ${number})`);
        if (options.answers) yield* say(unit);
        if (options.isDeadly(number)) {
          crash();
          throw killed();
        }
        if (options.isPoison(number)) throw new Error("poison");
      },
    };
  }

  const consumers: Consumer[] = publishers.map((publisher) =>
    createConsumer({
      store,
      subscription: subscriptionTo(publisher),
      source: () => redis.source(publisher, after),
      outage,
      faults: undefined,
      clock,
      logger: silent,
      groupSize: GROUP_SIZE,
    }),
  );

  function crash(): void {
    if (!alive) return;
    alive = false;
    // Not within a transaction of its own. A kill takes nothing from the disk, and closes all files.
    setImmediate(() => {
      endSync();
      void opened.close();
    });
    onDeath();
  }

  void relay.run();
  for (const consumer of consumers) void consumer.run();
  return {
    store,
    get alive() {
      return alive;
    },
    say: () => void store.write(say).catch(() => {}),
    crash,
    isSettled: () => relay.isCurrent(),
  };
}

/** Ends the whole transaction, as the death of the process would. */
function killed(): Error {
  return new Database.SqliteError("killed", "SQLITE_INTERRUPT");
}
