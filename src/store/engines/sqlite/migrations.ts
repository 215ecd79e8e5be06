import type { Database } from "better-sqlite3";
import { type Migration, readMigrations, type Schema } from "../../migration-files.ts";
import { reasonOf, StoreRefusal } from "../../refusal.ts";
import {
  describeVersions,
  missingOf,
  PARTS,
  type SchemaState,
  type Versions,
  withApplied,
} from "../../schema-state.ts";
import { hasTable } from "./has-table.ts";

/** The store's own tables. */
const STORE_MIGRATIONS = new URL("./migrations/", import.meta.url);

/** `user_version` reads store version × 1000 + module version. */
const STORE_STEP = 1_000;

/** Beside it, for each part: what says of migrations is made by none of them. */
const OLDEST_CODE =
  "CREATE TABLE IF NOT EXISTS oldest_code (part TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID";

/**
 * Reads the schema that this code knows.
 * @param folder holds the module's `NNNN-*.sql` files, numbered from 0001 without gaps
 * @throws Error when the numbers have gaps
 */
export function readSchema(folder: URL): Schema {
  return { store: readMigrations(STORE_MIGRATIONS), module: readMigrations(folder) };
}

/**
 * Applies what is missing, each file in one transaction with its version.
 * @throws StoreRefusal that names the file which failed; those before it stay applied
 */
export function migrate(database: Database, schema: Schema): void {
  for (const part of PARTS) {
    for (const file of missingOf(part, stateOf(database), schema)) apply(database, file, part);
  }
}

function apply(database: Database, file: Migration, part: keyof Schema): void {
  const run = database.transaction(() => {
    const state = stateOf(database);
    if (state.versions[part] >= file.version) return; // another process, which began at the same time, was first
    database.exec(file.sql);
    writeState(database, withApplied(state, part, [file]));
  });
  try {
    run.immediate();
  } catch (error) {
    throw new StoreRefusal(`cannot be migrated by ${file.name}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The version of a database's schema: the store's and the module's, such as `1.3`. */
export function versionOf(database: Database): string {
  return describeVersions(versionsOf(database));
}

/** What a database says of its schema. Where it has not been told of older code there is none that may use it. */
export function stateOf(database: Database): SchemaState {
  const versions = versionsOf(database);
  if (!hasTable(database, "oldest_code")) return { versions, oldestCode: versions };
  const rows = database.prepare<[], { part: string; version: number }>("SELECT part, version FROM oldest_code").all();
  return { versions, oldestCode: { ...versions, ...Object.fromEntries(rows.map((row) => [row.part, row.version])) } };
}

function writeState(database: Database, { versions, oldestCode }: SchemaState): void {
  database.pragma(`user_version = ${versions.store * STORE_STEP + versions.module}`);
  database.exec(OLDEST_CODE);
  const write = database.prepare("INSERT OR REPLACE INTO oldest_code (part, version) VALUES (?, ?)");
  for (const part of PARTS) write.run(part, oldestCode[part]);
}

/** Both versions of a database's schema, 0 where nothing has been applied. */
export function versionsOf(database: Database): Versions {
  const version = Number(database.pragma("user_version", { simple: true }));
  return { store: Math.floor(version / STORE_STEP), module: version % STORE_STEP };
}
