import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import Database from "better-sqlite3";
import { type ModuleName, moduleNames, modules } from "../../src/runtime/modules.ts";

export type { ModuleName };
export const MODULES = moduleNames;

export type Row = Readonly<Record<string, unknown>>;
/** All rows of all tables of a module, in the order of their keys. */
export type Tables = Readonly<Record<string, readonly Row[]>>;

/** What a module has said, and how much of the others it has applied. */
export interface Standing {
  readonly head: Position | undefined;
  /** What it has said that has no number yet, where that comes later. */
  readonly arrivals?: number;
  readonly cursors: readonly (Position & { readonly publisher: string })[];
}

interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** Reads a module's database from outside, also while its process runs: one look, all of the same moment. */
export function readTables(file: string): Tables {
  return look(file, {}, (database) => {
    const names = database
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .pluck()
      .all();
    return Object.fromEntries(
      names.sort().map((name) => [name, database.prepare<[], Row>(`SELECT * FROM ${name}`).all()]),
    );
  });
}

export function readStanding(file: string): Standing {
  return look<Standing>(file, { head: undefined, cursors: [] }, (database) => ({
    head: database.prepare<[], Position>("SELECT epoch, seq FROM outbox ORDER BY seq DESC LIMIT 1").get(),
    cursors: database.prepare<[], Standing["cursors"][number]>("SELECT publisher, epoch, seq FROM cursors").all(),
  }));
}

/** The databases of a shop, whatever they are in. */
export interface Databases {
  tables(module: ModuleName): Promise<Tables>;
  standing(module: ModuleName): Promise<Standing>;
}

/** Those in files. */
export function databasesIn(fileOf: (module: ModuleName) => string): Databases {
  return {
    tables: async (module) => readTables(fileOf(module)),
    standing: async (module) => readStanding(fileOf(module)),
  };
}

/** All tables of all modules. */
export async function readState(databases: Databases): Promise<Record<ModuleName, Tables>> {
  const tables = await Promise.all(MODULES.map((module) => databases.tables(module)));
  return Object.fromEntries(MODULES.map((module, at) => [module, tables[at] ?? {}])) as Record<ModuleName, Tables>;
}

/**
 * Whether every event is applied by its subscribers. Looks twice: where nobody has said or applied anything between the looks, each of
 * which takes a while, all that the first one saw stood like that at one moment.
 */
export async function areEventsApplied(open: () => Promise<Databases>): Promise<boolean> {
  const look = async () => {
    const databases = await open();
    const standings = await Promise.all(MODULES.map((name) => databases.standing(name)));
    return new Map(MODULES.map((name, at) => [name, standings[at]]));
  };
  const seen = await look();
  const isApplied = MODULES.every((name) =>
    modules[name].hears.every((publisher) => hasApplied(seen.get(name), publisher, seen.get(publisher))),
  );
  return isApplied && isDeepStrictEqual(await look(), seen);
}

function hasApplied(
  subscriber: Standing | undefined,
  publisher: ModuleName,
  { head, arrivals = 0 }: Standing = { head: undefined, cursors: [] },
): boolean {
  if (arrivals > 0) return false;
  if (head === undefined) return true;
  // It has a cursor in each epoch of the publisher's log.
  const cursors = subscriber?.cursors ?? [];
  return cursors.some((each) => each.publisher === publisher && each.epoch === head.epoch && each.seq === head.seq);
}

function look<T>(file: string, absent: T, read: (database: Database.Database) => T): T {
  if (!existsSync(file)) return absent;
  const database = new Database(file, { readonly: true, timeout: 5_000 });
  try {
    return database.transaction(() => read(database))();
  } finally {
    database.close();
  }
}
