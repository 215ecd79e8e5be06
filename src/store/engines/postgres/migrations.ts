import {
  describeVersions,
  newestOf,
  readMigrations,
  requireKnown,
  type Schema,
  type Versions,
} from "../../migration-files.ts";
import { reasonOf, StoreRefusal } from "../../refusal.ts";
import { sql } from "../../sql.ts";
import { BEGIN_IN_TURN } from "./connection.ts";
import type { Session } from "./sessions.ts";

/** The store's own tables. */
const STORE_MIGRATIONS = new URL("./migrations/", import.meta.url);

/** A migration of a large table takes its time, and whoever starts at the same moment waits for it. */
const PATIENCE = "SET LOCAL lock_timeout = '5min'; SET LOCAL idle_in_transaction_session_timeout = '5min'";

const VERSIONS = "CREATE TABLE IF NOT EXISTS schema_versions (part TEXT PRIMARY KEY, version INTEGER NOT NULL)";

/** What a migration found, and came to: versions such as `6.3`; the first is undefined where there was nothing. */
export interface Migrated {
  readonly from: string | undefined;
  readonly to: string;
}

/**
 * Makes a module's schema, or applies what is missing to it: all of it in one transaction, in which it is looked at as well, one process
 * at a time.
 * @param schema its name, which is that of the connection's search path
 * @param folder holds the module's `NNNN-*.sql` files
 * @throws StoreRefusal when it is another's, of newer code, or a file fails, which is named: then nothing is changed
 */
export async function migrate(session: Session, name: string, schema: string, folder: URL): Promise<Migrated> {
  const files = readSchema(folder);
  await session.command(BEGIN_IN_TURN);
  try {
    await session.command(PATIENCE);
    await session.ask(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`quartet ${schema}`}, 0))`);
    const found = await look(session, name, schema);
    requireKnown(found, files);
    await session.command(VERSIONS);
    for (const part of ["store", "module"] as const) await applyMissing(session, files, part, found[part]);
    await session.command("COMMIT");
    return { from: found.store === 0 ? undefined : describeVersions(found), to: describeVersions(newestOf(files)) };
  } catch (error) {
    await session.command("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** Makes the schema if there is none. @returns its versions @throws StoreRefusal when it is another's */
async function look(session: Session, name: string, schema: string): Promise<Versions> {
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
  if (there?.versions !== true) {
    if (there !== undefined && there.tables > 0) throw new StoreRefusal(`is not a database of ${name}`);
    return { store: 0, module: 0 };
  }
  return readVersions(session);
}

/**
 * Sees to it that a schema is as this code knows it.
 * @param folder holds the module's `NNNN-*.sql` files
 * @param what is done to it, in a word
 * @throws StoreRefusal when it is not there, or of another version; as `Session.ask`
 */
export async function requireNewest(session: Session, folder: URL, what: "reads" | "moves"): Promise<void> {
  const [found, known] = [await findVersions(session), newestOf(readSchema(folder))].map(describeVersions);
  if (found === "0.0") throw new StoreRefusal("is not there");
  if (found === known) return;
  throw new StoreRefusal(`has version ${found}, this ${what} ${known}: start its process once to bring it there`);
}

function readSchema(folder: URL): Schema {
  return { store: readMigrations(STORE_MIGRATIONS), module: readMigrations(folder) };
}

/** The versions of a schema, 0 where nothing has been applied. @throws as `Session.ask` */
async function findVersions(session: Session): Promise<Versions> {
  const { rows } = await session.ask(
    sql<{ found: boolean }>`SELECT to_regclass('schema_versions') IS NOT NULL AS found`,
  );
  return rows[0]?.found === true ? readVersions(session) : { store: 0, module: 0 };
}

async function readVersions(session: Session): Promise<Versions> {
  const found = await session.ask(sql<{ part: string; version: number }>`SELECT part, version FROM schema_versions`);
  const versionOf = (part: keyof Schema) => found.rows.find((row) => row.part === part)?.version ?? 0;
  return { store: versionOf("store"), module: versionOf("module") };
}

async function requireOwn(session: Session, name: string): Promise<void> {
  const { rows } = await session.ask(sql<{ module: string }>`SELECT module FROM identity`);
  const module = rows[0]?.module ?? name;
  if (module !== name) throw new StoreRefusal(`is the database of ${module}, not of ${name}`);
}

async function applyMissing(session: Session, files: Schema, part: keyof Schema, found: number): Promise<void> {
  for (const file of files[part].filter(({ version }) => version > found)) {
    try {
      await session.command(file.sql);
    } catch (error) {
      throw new StoreRefusal(`cannot be migrated by ${file.name}: ${reasonOf(error)}`, { cause: error });
    }
  }
  await session.ask(
    sql`INSERT INTO schema_versions VALUES (${part}, ${newestOf(files)[part]})
      ON CONFLICT (part) DO UPDATE SET version = excluded.version`,
  );
}
