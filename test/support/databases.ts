import { existsSync } from "node:fs";
import Database from "better-sqlite3";

export const MODULES = ["users", "products", "orders"] as const;
export type ModuleName = (typeof MODULES)[number];

export type Row = Readonly<Record<string, unknown>>;
/** All rows of all tables of a module, in the order of their keys. */
export type Tables = Readonly<Record<string, readonly Row[]>>;

/** What a module has said, and how much of the others it has applied. */
export interface Standing {
  readonly head: Position | undefined;
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

/**
 * Whether every event is applied by its subscriber. Products is looked at first: when orders has said nothing later
 * that products had not applied by then, and has applied all that products had said, nothing is on its way.
 */
export function areEventsApplied(fileOf: (module: ModuleName) => string): boolean {
  const products = readStanding(fileOf("products"));
  const orders = readStanding(fileOf("orders"));
  return hasApplied(products, "orders", orders) && hasApplied(orders, "products", products);
}

function hasApplied({ cursors }: Standing, publisher: ModuleName, { head }: Standing): boolean {
  if (head === undefined) return true;
  return cursors.some(
    (cursor) => cursor.publisher === publisher && cursor.epoch === head.epoch && cursor.seq === head.seq,
  );
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
