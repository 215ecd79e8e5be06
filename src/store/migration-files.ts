import { readdirSync, readFileSync } from "node:fs";
import { StoreRefusal } from "./refusal.ts";

export interface Migration {
  readonly name: string;
  /** The version of a schema to which it has been applied. */
  readonly version: number;
  readonly sql: string;
}

/** The numbered files of the store and of a module, each list in order. */
export interface Schema {
  readonly store: readonly Migration[];
  readonly module: readonly Migration[];
}

/** Which file was applied last, 0 where none was. */
export type Versions = Record<keyof Schema, number>;

/**
 * Reads `NNNN-*.sql` files, numbered without gaps. The first may have any number: it makes what all up to it make elsewhere, where an
 * engine came later and has no databases that are older.
 * @throws Error when the numbers have gaps
 */
export function readMigrations(folder: URL): Migration[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  const first = numberOf(names[0] ?? "");
  return names.map((name, index) => {
    if (numberOf(name) !== first + index) throw new Error(`migration ${name} is out of sequence`);
    return { name, version: first + index, sql: readFileSync(new URL(name, withSlash(folder)), "utf8") };
  });
}

/** The versions that this code knows. */
export function newestOf({ store, module }: Schema): Versions {
  return { store: store.at(-1)?.version ?? 0, module: module.at(-1)?.version ?? 0 };
}

/** Such as `1.3`. */
export function describeVersions({ store, module }: Versions): string {
  return `${store}.${module}`;
}

/** @throws StoreRefusal when a database was written by newer code, whose tables this code does not know */
export function requireKnown(found: Versions, schema: Schema): void {
  const known = newestOf(schema);
  if (found.store <= known.store && found.module <= known.module) return;
  throw new StoreRefusal(
    `has schema ${describeVersions(found)}, newer than the ${describeVersions(known)} that this version knows`,
  );
}

function numberOf(name: string): number {
  return Number(/^(\d{4})-/.exec(name)?.[1]);
}

/** A folder's URL against which names resolve. */
function withSlash(folder: URL): URL {
  return folder.href.endsWith("/") ? folder : new URL(`${folder.href}/`);
}
