import { readdirSync, readFileSync } from "node:fs";
import type { Database } from "better-sqlite3";
import { reasonOf, StoreRefusal } from "../../refusal.ts";

/** The store's own tables. */
const STORE_MIGRATIONS = new URL("./migrations/", import.meta.url);

/** `user_version` reads store version × 1000 + module version. */
const STORE_STEP = 1_000;

interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** The numbered files of the store and of a module, each list in order: a version is the number of files applied. */
export interface Schema {
  readonly store: readonly Migration[];
  readonly module: readonly Migration[];
}

/**
 * Reads the schema that this code knows.
 * @param folder holds the module's `NNNN-*.sql` files, numbered from 0001 without gaps
 * @throws Error when the numbers have gaps
 */
export function readSchema(folder: URL): Schema {
  return { store: readMigrations(STORE_MIGRATIONS), module: readMigrations(folder) };
}

/** @throws StoreRefusal when a database was written by newer code, whose tables this code does not know */
export function requireKnownVersion(database: Database, schema: Schema): void {
  const { store, module } = versionsOf(database);
  if (store <= schema.store.length && module <= schema.module.length) return;
  throw new StoreRefusal(
    `has schema ${store}.${module}, newer than the ${schema.store.length}.${schema.module.length} that this version knows`,
  );
}

/**
 * Applies what is missing, each file in one transaction with its version.
 * @throws StoreRefusal that names the file which failed; those before it stay applied
 */
export function migrate(database: Database, schema: Schema): void {
  for (const kind of ["store", "module"] as const) {
    schema[kind].forEach((migration, index) => {
      if (versionsOf(database)[kind] <= index) apply(database, migration, kind, index);
    });
  }
}

function apply(database: Database, { name, sql }: Migration, kind: keyof Schema, index: number): void {
  const run = database.transaction(() => {
    const versions = versionsOf(database);
    if (versions[kind] > index) return; // another process, which began at the same time, was first
    database.exec(sql);
    versions[kind] = index + 1;
    database.pragma(`user_version = ${versions.store * STORE_STEP + versions.module}`);
  });
  try {
    run.immediate();
  } catch (error) {
    throw new StoreRefusal(`cannot be migrated by ${name}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The version of a database's schema: the store's and the module's, such as `1.3`. */
export function versionOf(database: Database): string {
  const { store, module } = versionsOf(database);
  return `${store}.${module}`;
}

/** The newest version that this code knows. @param folder as of `readSchema` */
export function knownVersion(folder: URL): string {
  const { store, module } = readSchema(folder);
  return `${store.length}.${module.length}`;
}

/** Both versions of a database's schema, 0 where nothing has been applied. */
export function versionsOf(database: Database): Record<keyof Schema, number> {
  const version = Number(database.pragma("user_version", { simple: true }));
  return { store: Math.floor(version / STORE_STEP), module: version % STORE_STEP };
}

function readMigrations(folder: URL): Migration[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  return names.map((name, index) => {
    if (Number(/^(\d{4})-/.exec(name)?.[1]) !== index + 1) throw new Error(`migration ${name} is out of sequence`);
    return { name, sql: readFileSync(new URL(name, withSlash(folder)), "utf8") };
  });
}

/** A folder's URL against which names resolve. */
function withSlash(folder: URL): URL {
  return folder.href.endsWith("/") ? folder : new URL(`${folder.href}/`);
}
