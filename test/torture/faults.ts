import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../bus/simulation/random.ts";
import { MODULES } from "../support/databases.ts";
import type { Disk } from "../support/disk/disk.ts";
import { until, untilReady } from "../support/process.ts";
import { type ProcessShop, SERVICES, type Service } from "../support/topology.ts";

/** Harms a shop, and resolves what it did once the shop is whole again: whoever has ended is started again, as Compose does. */
export type Fault = () => Promise<string>;

/** How long a process stands still at the most. */
const MOST_STOPPED_MS = 8_000;

/** Waits for a sync of any module to fail at most this long: one that nobody writes to has none. */
const SYNC_WITHIN_MS = 5_000;

/**
 * What can be done to a shop of processes.
 * @param disk the one that they are on, if it is one to test with
 * @param always rules of the disk beside those of a fault
 */
export function faultsOf(
  shop: ProcessShop,
  disk: Disk | undefined,
  random: Random,
  always: readonly string[],
): Readonly<Record<string, Fault>> {
  const victims: readonly (Service | "redis")[] = shop.redis === undefined ? ["gateway"] : [...SERVICES, "redis"];
  const { pick, integer } = random;

  async function kill(): Promise<string> {
    const victim = pick(victims);
    if (victim === "redis") await shop.loseRedis();
    else await shop.kill(victim);
    await sleep(integer(0, 1_000));
    if (victim === "redis") await shop.returnRedis();
    else await shop.restart(victim);
    return `kill ${victim}`;
  }

  /**
   * A process stands still, as on a machine that does, for less and more time than a transaction may say nothing and a lease lasts. Where
   * it can, another one takes its place meanwhile, and goes when the two have served together for a while.
   */
  async function stop(): Promise<string> {
    const victim = pick(SERVICES);
    const { pid } = shop.process(victim);
    process.kill(pid, "SIGSTOP");
    const standIn = shop.database === undefined || victim === "gateway" ? undefined : shop.startBeside(victim);
    await Promise.all([standIn, sleep(integer(0, MOST_STOPPED_MS))]).finally(() => process.kill(pid, "SIGCONT"));
    await sleep(integer(0, 1_000));
    await (await standIn)?.kill();
    await untilWhole(shop);
    return `stop ${victim}`;
  }

  return {
    kill,
    stop,
    ...databaseFaultsOf(shop, random),
    ...(disk === undefined ? {} : diskFaultsOf(shop, disk, random, always)),
  };
}

/** Those that befall its PostgreSQL, which recovers when it is started again, and what lies before it: the shop goes on by itself. */
function databaseFaultsOf(shop: ProcessShop, { integer }: Random): Readonly<Record<string, Fault>> {
  const { server: postgres, pooler } = shop.database ?? {};
  const killing = (name: string, victim: { kill(): Promise<void>; start(): Promise<void> }): Fault => {
    return async () => {
      await victim.kill();
      await sleep(integer(0, 1_000));
      await victim.start();
      await untilWhole(shop);
      return `kill ${name}`;
    };
  };
  return {
    ...(postgres && { postgres: killing("postgres", postgres) }),
    ...(pooler && { pooler: killing("pooler", pooler) }),
  };
}

function untilWhole(shop: ProcessShop): Promise<void> {
  return untilReady(
    shop.url,
    SERVICES.map((service) => shop.process(service)),
  );
}

/** Those of them that befall its disk. */
export function diskFaultsOf(shop: ProcessShop, disk: Disk, random: Random, always: readonly string[] = []) {
  const { pick, integer, chance } = random;
  const platter = disk.platter(shop.dataDir);

  /** Of the whole machine, its Redis with it; or, in several processes, of the machine of one module. */
  async function power(): Promise<string> {
    const blocks = chance(0.5) ? random : undefined;
    const victim = shop.redis === undefined ? "machine" : pick(["machine", ...MODULES] as const);
    if (victim === "machine") {
      await Promise.all([...SERVICES.map((service) => shop.kill(service)), shop.loseRedis()]);
      platter.cut(blocks);
      await shop.returnRedis();
      await shop.begin();
    } else {
      await shop.kill(victim);
      platter.cut(blocks, (name) => name.startsWith(`${victim}.db`));
      await shop.restart(victim);
    }
    return `power ${victim}`;
  }

  async function full(): Promise<string> {
    disk.behave(...always, "full");
    await sleep(integer(100, 1_500));
    disk.behave(...always);
    await untilWhole(shop);
    return "full";
  }

  /** Of a module's log, or of its database, as at a checkpoint. Its process does not go on with a file that it cannot trust. */
  async function sync(victim = pick(MODULES), withinMs = SYNC_WITHIN_MS): Promise<string> {
    const file = `${victim}.db${chance(0.8) ? "-wal" : ""}`;
    const { exited } = shop.process(victim);
    disk.behave(...always, `fail 1 ${file}`);
    const hasFailed = () => disk.syncs().some(({ outcome }) => outcome === "failed");
    const failed = await until("a sync has failed", hasFailed, withinMs).then(
      () => true,
      () => false,
    );
    disk.behave(...always);
    if (!failed) return "sync that never came";
    const { code } = await exited;
    if (code !== 1) throw new Error(`after a sync that failed, ${victim} ended with ${code}`);
    await shop.restart(victim);
    return `sync ${file}`;
  }

  return { power, full, sync };
}
