import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { openStore } from "../store/engines/sqlite/open-store.ts";
import { lockForServing, tryLockForServing } from "../store/engines/sqlite/serving-lock.ts";
import { describeOpening, type Opening } from "../store/schema-state.ts";
import type { Store } from "../store/store.ts";
import { type Config, ownDatabase } from "./config.ts";
import { databaseIn, migrationsOf, modulesAmong, postgresMigrationsOf } from "./database-files.ts";
import type { ModuleName } from "./modules.ts";
import { requestStop } from "./stop-request.ts";
import { requireFinishedRestore } from "./unfinished-restore.ts";

/** What becomes of an opening. */
export interface OpeningOptions {
  /** Whether what is missing of a schema is applied. */
  readonly migrates: boolean;
  /** Told what was found and done. */
  onOpened(opening: Opening): void;
  /** Told a line that somebody should know of. */
  warn(line: string): void;
}

/**
 * Opens a module's database to serve it, with the engine that the settings choose.
 * @throws Refusal when it cannot be used; a file, when another process serves it
 */
export function openToServe(name: ModuleName, config: Config, logger: Logger): Promise<Store> {
  return openDatabase(name, config, servingOptions(name, config, logger));
}

/** What becomes of an opening to serve. */
export function servingOptions(name: ModuleName, config: Config, logger: Logger): OpeningOptions {
  return {
    migrates: config.MIGRATE ?? true,
    onOpened: (opening) => logger.info(`${name}: ${describeOpening(opening)}`),
    warn: (line) => logger.warn(line),
  };
}

/** What keeps the data of each module that a process serves. */
export function enginesOf(config: Config): Record<string, "SQLite" | "PostgreSQL"> {
  const engineOf = (name: ModuleName) => (ownDatabase(config, name) === undefined ? "SQLite" : "PostgreSQL");
  return Object.fromEntries(modulesAmong(config.SERVE).map((name) => [name, engineOf(name)]));
}

/** As `openToServe`. */
export async function openDatabase(name: ModuleName, config: Config, options: OpeningOptions): Promise<Store> {
  const inPostgres = ownDatabase(config, name);
  if (inPostgres !== undefined) return openSchema(name, config, inPostgres, options);
  const lock = await lockFile(name, config, options.warn);
  try {
    const store = openFile(name, config, lock, options);
    return { ...store, close: () => store.close().finally(lock.free) };
  } catch (error) {
    lock.free();
    throw error;
  }
}

/** That this process is the one that serves a file. */
export interface HeldLock {
  /** Fires when another process serves it all the same. */
  readonly lost: AbortSignal;
  free(): void;
}

/**
 * Has the lock of a module's file, for which it waits a while.
 * @param warn told that it waits
 * @throws Refusal when another process has it still after that
 */
export async function lockFile(
  name: ModuleName,
  config: Config,
  warn: (line: string) => void,
  onLost = () => {},
): Promise<HeldLock> {
  const file = databaseIn(config.DATA_DIR, name);
  const lost = losing(name, file, onLost);
  const onWait = () => warn(`${name}: another process serves ${file}; waiting for it to end`);
  const free = await lockForServing({ name, file }, { onWait, onLost: lost.lose });
  return { lost: lost.signal, free };
}

/** The same at once. @returns undefined while another process has it */
export function tryLockFile(name: ModuleName, config: Config, onLost = () => {}): HeldLock | undefined {
  const file = databaseIn(config.DATA_DIR, name);
  const lost = losing(name, file, onLost);
  const free = tryLockForServing({ name, file }, lost.lose);
  return free === undefined ? undefined : { lost: lost.signal, free };
}

function losing(name: ModuleName, file: string, onLost: () => void): { signal: AbortSignal; lose: () => void } {
  const lost = new AbortController();
  const lose = () => {
    lost.abort();
    onLost();
    requestStop(`${name}: the lock of ${file} was removed, and another process serves it now`);
  };
  return { signal: lost.signal, lose };
}

/**
 * Opens a module's file of which this process has the lock, which stays held when the store closes.
 * @throws Refusal when it cannot be used
 */
export function openFile(
  name: ModuleName,
  config: Config,
  { lost }: Pick<HeldLock, "lost">,
  { migrates, onOpened }: OpeningOptions,
): Store {
  requireFinishedRestore(config.DATA_DIR); // one may have begun while this waited
  const file = databaseIn(config.DATA_DIR, name);
  return openStore({ name, file, migrations: migrationsOf(name), migrates, onOpened, onDistrust: requestStop, lost });
}

/**
 * Opens a module's schema in PostgreSQL, whose driver is loaded by this alone. Where modules share the database, each acts as the role
 * that its schema belongs to; a pooler would lose that.
 * @throws Refusal when it cannot be used
 */
export async function openSchema(
  name: ModuleName,
  config: Config,
  { url, isShared }: NonNullable<ReturnType<typeof ownDatabase>>,
  { migrates, onOpened, warn }: OpeningOptions,
): Promise<Store> {
  const place = placeInPostgres(config, url);
  const [{ openPostgresStore }, { findModuleRole }] = await Promise.all([
    import("../store/engines/postgres/open-store.ts"),
    import("../store/engines/postgres/module-role.ts"),
  ]);
  const { role, told } =
    isShared && !place.pooled ? await findModuleRole({ name, ...place }) : { role: undefined, told: undefined };
  if (told !== undefined) warn(`${name}: ${told}`);
  return openPostgresStore({
    ...place,
    ...(role !== undefined && { role }),
    name,
    migrations: postgresMigrationsOf(name),
    migrates,
    onOpened,
    onLeftBehind: requestStop,
    onForgotten: warn,
  });
}

/** How connections are made to a database in PostgreSQL. */
export function placeInPostgres(
  { DATABASE_POOLED: pooled = false, DATABASE_PASSWORD_FILE: file }: Config,
  url: string,
): { readonly url: string; readonly pooled: boolean; readonly password?: () => Promise<string> } {
  if (file === undefined) return { url, pooled };
  return { url, pooled, password: async () => (await readFile(file, "utf8")).trim() };
}
