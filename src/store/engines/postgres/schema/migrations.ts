import { setTimeout as sleep } from "node:timers/promises";
import { type Migration, readMigrations, type Schema } from "../../../migration-files.ts";
import { reasonOf, StoreRefusal } from "../../../refusal.ts";
import {
  describeVersions,
  isMissing,
  missingOf,
  newestOf,
  type Opening,
  PARTS,
  requireMigrated,
  requireUsable,
  type SchemaState,
  withApplied,
} from "../../../schema-state.ts";
import { sql } from "../../../sql.ts";
import { BEGIN_IN_TURN } from "../connection.ts";
import { isInTheWay } from "../postgres-fault.ts";
import type { Session } from "../sessions.ts";
import { requireNoOlderCode } from "./served-by.ts";

/** The store's own tables. */
const STORE_MIGRATIONS = new URL("../migrations/", import.meta.url);

/** A migration of a large table takes its time, and whoever starts at the same moment waits for it. */
const PATIENCE_MS = 300_000;
const PATIENT = `SET LOCAL lock_timeout = ${PATIENCE_MS}; SET LOCAL idle_in_transaction_session_timeout = ${PATIENCE_MS}`;

/**
 * For a table it waits no longer than that, and lets all go for a while if it is in vain: who comes to the table meanwhile waits behind
 * it, and a backup may read for minutes. It is less than `deadlock_timeout`, so that it is never others who are undone; and short, since one
 * who has a table that it wants, and wants one that it has, is not done sooner for a longer wait.
 */
const STAND_ASIDE = "SET LOCAL lock_timeout = 100";
const PAUSE_MS = 250;

/** What says of migrations is made by none of them. */
const VERSIONS = `CREATE TABLE IF NOT EXISTS schema_versions (part TEXT PRIMARY KEY, version INTEGER NOT NULL);
  ALTER TABLE schema_versions ADD COLUMN IF NOT EXISTS oldest_code INTEGER`;

export interface MigrateOptions {
  /** The module's name. */
  readonly name: string;
  /** The schema, which is that of the connection's search path. */
  readonly schema: string;
  /** Holds the module's `NNNN-*.sql` files. */
  readonly migrations: URL;
  /** Whether what is missing is applied; by default it is. */
  readonly migrates?: boolean;
  /** Whether a pooler is in between: who serves the schema cannot be seen then. */
  readonly pooled?: boolean;
}

/**
 * Makes a module's schema, or applies what is missing to it: all of it in one transaction, in which it is looked at as well, one process
 * at a time. Those that serve it go on meanwhile.
 * @throws StoreRefusal when it is another's, of newer code that left this one behind, served by code that this would leave behind, or a file
 *   fails, which is named: then nothing is changed
 */
export async function migrate(session: Session, options: MigrateOptions): Promise<Omit<Opening, "place">> {
  for (const endMs = performance.now() + PATIENCE_MS; ; await sleep(PAUSE_MS)) {
    await session.command(BEGIN_IN_TURN);
    try {
      const migrated = await migrateOnce(session, options);
      await session.command("COMMIT");
      return migrated;
    } catch (error) {
      await session.command("ROLLBACK").catch(() => undefined);
      if (!isInTheWay(error instanceof StoreRefusal ? error.cause : error) || performance.now() > endMs) throw error;
    }
  }
}

async function migrateOnce(session: Session, options: MigrateOptions): Promise<Omit<Opening, "place">> {
  const { name, schema, migrations, migrates = true, pooled = false } = options;
  const files = readSchema(migrations);
  await session.command(PATIENT);
  await session.ask(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`quartet ${schema}`}, 0))`);
  await session.command(STAND_ASIDE);
  const found = await look(session, name, schema);
  if (migrates) requireUsable(found, files);
  else requireMigrated(found, files);
  const to = PARTS.reduce((state, part) => withApplied(state, part, missingOf(part, state, files)), found);
  if (isMissing(found, files)) {
    if (!pooled && found.versions.store > 0) await requireNoOlderCode(session, name, to);
    await session.command(VERSIONS);
    for (const part of PARTS) await applyMissing(session, part, missingOf(part, found, files), to);
  }
  return {
    from: found.versions.store === 0 ? undefined : describeVersions(found.versions),
    to: describeVersions(to.versions),
    known: describeVersions(newestOf(files)),
  };
}

/** Makes the schema if there is none. @returns what it says of itself @throws StoreRefusal when it is another's */
async function look(session: Session, name: string, schema: string): Promise<SchemaState> {
  const { rows } = await session.ask(
    sql<{ schema: boolean; tables: number; versions: boolean; identity: boolean }>`SELECT
      to_regnamespace(${`"${schema}"`}) IS NOT NULL AS schema,
      (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(${`"${schema}"`})) AS tables,
      to_regclass('schema_versions') IS NOT NULL AS versions,
      to_regclass('identity') IS NOT NULL AS identity`,
  );
  const [there] = rows;
  if (there?.schema !== true) await session.command(`CREATE SCHEMA "${schema}"`);
  if (there?.identity === true) await requireOwn(session, name);
  if (there?.versions !== true && there !== undefined && there.tables > 0)
    throw new StoreRefusal(`is not a database of ${name}`);
  return findState(session);
}

/**
 * Reads the schema that this code knows.
 * @param folder holds the module's `NNNN-*.sql` files
 * @throws Error when the numbers have gaps
 */
export function readSchema(folder: URL): Schema {
  return { store: readMigrations(STORE_MIGRATIONS), module: readMigrations(folder) };
}

/**
 * What a schema says of itself, versions 0 where nothing has been applied. Where it has not been told of older code there is none that
 * may use it.
 * @throws as `Session.ask`
 */
export async function findState(session: Session): Promise<SchemaState> {
  const there = await session.ask(sql<{ there: boolean }>`SELECT to_regclass('schema_versions') IS NOT NULL AS there`);
  // By way of JSON, since the column may not be there.
  const { rows } = there.rows[0]?.there
    ? await session.ask(
        sql<{ part: string; version: number; oldest: number }>`SELECT part, version,
          coalesce((to_jsonb(schema_versions) ->> 'oldest_code')::integer, version) AS oldest FROM schema_versions`,
      )
    : { rows: [] };
  const of = (part: keyof Schema) => rows.find((row) => row.part === part);
  return {
    versions: { store: of("store")?.version ?? 0, module: of("module")?.version ?? 0 },
    oldestCode: { store: of("store")?.oldest ?? 0, module: of("module")?.oldest ?? 0 },
  };
}

/** @throws StoreRefusal when a schema is not there, or not as this code needs it; as `Session.ask` */
export async function requireSchema(
  session: Session,
  folder: URL,
  requireFit: (state: SchemaState, schema: Schema) => void,
): Promise<void> {
  const found = await findState(session);
  if (found.versions.store === 0) throw new StoreRefusal("is not there");
  requireFit(found, readSchema(folder));
}

async function requireOwn(session: Session, name: string): Promise<void> {
  const { rows } = await session.ask(sql<{ module: string }>`SELECT module FROM identity`);
  const module = rows[0]?.module ?? name;
  if (module !== name) throw new StoreRefusal(`is the database of ${module}, not of ${name}`);
}

async function applyMissing(
  session: Session,
  part: keyof Schema,
  files: readonly Migration[],
  { versions, oldestCode }: SchemaState,
): Promise<void> {
  for (const { name, sql: text } of files) {
    try {
      await session.command(text);
    } catch (error) {
      throw new StoreRefusal(`cannot be migrated by ${name}: ${reasonOf(error)}`, { cause: error });
    }
  }
  await session.ask(
    sql`INSERT INTO schema_versions (part, version, oldest_code) VALUES (${part}, ${versions[part]}, ${oldestCode[part]})
      ON CONFLICT (part) DO UPDATE SET version = excluded.version, oldest_code = excluded.oldest_code`,
  );
}
