import { existsSync, rmSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { choosePostgresFaults, type PostgresFaultsOptions } from "./postgres-faults.ts";
import type { ModuleOptions, SimulatedProcess } from "./simulated-module.ts";
import type { SimulatedRedis } from "./simulated-redis.ts";

/** A module of the simulated world, and the backups that there are of it. */
export interface Module {
  readonly options: ModuleOptions;
  readonly file: string;
  readonly backups: { readonly atMs: number; readonly bytes: Buffer }[];
  /** When it was restored last, if it was. */
  restoredAtMs?: number;
  processes: SimulatedProcess[];
  /** Events that had no number when it went back: they get another one, and may be applied once more. */
  readonly renumbered: Set<number>;
}

export interface FaultsOptions extends PostgresFaultsOptions {
  readonly redis: SimulatedRedis;
  readonly modules: readonly Module[];
  /** Starts one more process of a module. */
  readonly add: (module: Module) => void;
}

/** Lets some of the faults there are happen, each as often as this seed has it. */
export function chooseFaults(options: FaultsOptions): void {
  const { random, scheduler, redis, modules, postgres, faultsMs, oldestBackupMs, repeatedly, add } = options;
  const { chance, integer, pick } = random;

  function crashSomeone(): void {
    for (const process of pick(modules).processes) process.crash();
  }

  /** For a moment two processes of one module run: two relays, two subscribers. */
  function overlap(): void {
    const module = pick(modules);
    const [old, ...others] = module.processes.filter(({ alive }) => alive);
    if (old === undefined || others.length > 0) return;
    add(module);
    scheduler.after(integer(0, 3_000), () => old.crash());
  }

  function redisGoesAway(): void {
    redis.away = true;
    scheduler.after(integer(100, 4_000), () => {
      redis.away = false;
    });
  }

  function backUpSomeone(): void {
    const { file, backups, options } = pick(modules);
    if (options.postgres !== undefined || !existsSync(file)) return;
    const database = new Database(file);
    backups.push({ atMs: scheduler.now(), bytes: database.serialize() });
    database.close();
  }

  /** Only while the module is stopped, and none that is too old. */
  function restoreSomeone(): void {
    const recent = modules.flatMap((module) =>
      module.backups
        .filter(({ atMs }) => atMs >= scheduler.now() - oldestBackupMs)
        .map(({ bytes }) => ({ module, bytes })),
    );
    if (recent.length === 0) return;
    const { module, bytes } = pick(recent);
    const { file, processes } = module;
    module.restoredAtMs = scheduler.now();
    for (const process of processes) process.crash();
    // The dead close their files a moment later.
    setImmediate(() => {
      for (const suffix of ["-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
      writeFileSync(file, bytes);
    });
  }

  const sometimes = (fault: () => void) => {
    if (chance(0.6)) repeatedly(integer(800, faultsMs / 2), fault);
  };
  sometimes(crashSomeone);
  sometimes(overlap);
  sometimes(() => redis.flush());
  sometimes(() => redis.empty());
  sometimes(() => redis.damage());
  sometimes(redisGoesAway);
  sometimes(() => {
    redis.unreliability = random.fraction() / 3;
  });
  if (chance(0.6)) {
    repeatedly(faultsMs / 12, () => redis.snapshot());
    repeatedly(faultsMs / 4, () => redis.restore());
  }
  if (chance(0.6)) {
    repeatedly(faultsMs / 30, backUpSomeone);
    repeatedly(faultsMs / 6, restoreSomeone);
  }
  if (postgres.names.length > 0) choosePostgresFaults(options);
}
