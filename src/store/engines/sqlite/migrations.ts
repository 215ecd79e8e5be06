import type { Database } from "better-sqlite3";
import {
  describeVersions,
  type Migration,
  newestOf,
  readMigrations,
  requireKnown,
  type Schema,
  type Versions,
} from "../../migration-files.ts";
import { reasonOf, StoreRefusal } from "../../refusal.ts";

/** The store's own tables. */
const STORE_MIGRATIONS = new URL("./migrations/", import.meta.url);

/** `user_version` reads store version × 1000 + module version. */
const STORE_STEP = 1_000;

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
  requireKnown(versionsOf(database), schema);
}

/**
 * Applies what is missing, each file in one transaction with its version.
 * @throws StoreRefusal that names the file which failed; those before it stay applied
 */
export function migrate(database: Database, schema: Schema): void {
  for (const kind of ["store", "module"] as const) {
    for (const migration of schema[kind]) {
      if (versionsOf(database)[kind] < migration.version) apply(database, migration, kind);
    }
  }
}

function apply(database: Database, { name, version, sql }: Migration, kind: keyof Schema): void {
  const run = database.transaction(() => {
    const versions = versionsOf(database);
    if (versions[kind] >= version) return; // another process, which began at the same time, was first
    database.exec(sql);
    versions[kind] = version;
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
  return describeVersions(versionsOf(database));
}

/** The newest version that this code knows. @param folder as of `readSchema` */
export function knownVersion(folder: URL): string {
  return describeVersions(newestOf(readSchema(folder)));
}

/** Both versions of a database's schema, 0 where nothing has been applied. */
export function versionsOf(database: Database): Versions {
  const version = Number(database.pragma("user_version", { simple: true }));
  return { store: Math.floor(version / STORE_STEP), module: version % STORE_STEP };
}
