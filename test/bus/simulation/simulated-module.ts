import { createOutage } from "../../../src/base/outage.ts";
import { createPace, repeat } from "../../../src/base/pace.ts";
import { type Consumer, createConsumer } from "../../../src/bus/follow/consumer.ts";
import { createRelay } from "../../../src/bus/relay.ts";
import type { Subscription } from "../../../src/bus/subscription.ts";
import type { SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import { sql } from "../../../src/store/sql.ts";
import type { Unit, Work } from "../../../src/store/unit.ts";
import { silent } from "../modules.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedPostgres } from "./simulated-postgres.ts";
import type { SimulatedRedis } from "./simulated-redis.ts";
import { killed, openSimulatedStore } from "./simulated-store.ts";

export interface ModuleOptions {
  readonly name: string;
  readonly folder: string;
  /** Where its schema is; it has a file of its own where there is none. */
  readonly postgres: SimulatedPostgres | undefined;
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

/** How long what is committed in PostgreSQL may be without a number. */
const MOST_UNNUMBERED_MS = 250;

const ARRIVALS = sql<{ number: number }>`SELECT number FROM arrivals ORDER BY id`;

export function startProcess(options: ModuleOptions, onDeath: () => void): SimulatedProcess {
  const { name, folder, publishers, subscribers, scheduler, random, redis, pruneWindowMs } = options;
  const { postgres } = options;
  let alive = true;
  const dead = Promise.withResolvers<false>();
  const after: Scheduler["after"] = (delayMs, run) => scheduler.after(delayMs, () => alive && run());
  const clock = { now: scheduler.now, after };
  const file =
    postgres === undefined
      ? openSimulatedStore({ name, folder, scheduler, random, epoch: () => String(random.integer(1, 2 ** 50)) })
      : undefined;
  const store = file?.store ?? (postgres as SimulatedPostgres).connect(name, after, () => alive);
  const outage = createOutage({ what: "Redis", logger: silent, clock });
  const pace = createPace(clock);
  const numbering = createPace(clock);
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
  store.log.onAppended(relay.told);

  function* say(unit: Unit): Work<void> {
    const number = options.nextNumber();
    if (postgres === undefined) yield* append(unit, number);
    else yield* unit.run(sql`INSERT INTO arrivals (number) VALUES (${number})`);
    yield* unit.run(sql`INSERT INTO said (number) VALUES (${number})`);
  }

  /** As the sequencer of the engine does; how soon after the commits varies. */
  async function giveNumbers(): Promise<void> {
    if (await isNumbered()) return numbering.wait(random.integer(1, MOST_UNNUMBERED_MS));
    await store.write(function* (unit) {
      for (const { number } of yield* unit.all(ARRIVALS)) yield* append(unit, number);
      yield* unit.run(sql`DELETE FROM arrivals`);
    });
    pace.wake();
  }

  async function isNumbered(): Promise<boolean> {
    return (await store.read((reading) => reading.get(ARRIVALS))) === undefined;
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

  async function isSettled(): Promise<boolean> {
    return (await isNumbered()) && (await relay.isCurrent());
  }

  function crash(): void {
    if (!alive) return;
    alive = false;
    dead.resolve(false);
    file?.kill();
    onDeath();
  }

  void relay.run();
  if (postgres !== undefined) void repeat(giveNumbers, { pace: numbering, onFailure() {} });
  for (const consumer of consumers) void consumer.run();
  return {
    store,
    get alive() {
      return alive;
    },
    say: () => void store.write(say).catch(() => {}),
    crash,
    isSettled: () => Promise.race([dead.promise, isSettled()]),
  };
}

function* append(unit: Unit, number: number): Work<void> {
  yield* unit.append({ type: "number.said", subject: String(number), data: { number } });
}
