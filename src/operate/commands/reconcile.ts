import { Refusal } from "../../base/refusal.ts";
import { type Arguments, type Config, ownDatabase } from "../../runtime/config.ts";
import { databaseIn, migrationsOf, postgresMigrationsOf } from "../../runtime/database-files.ts";
import { placeInPostgres } from "../../runtime/open-store.ts";
import type { SchemaSnapshot } from "../../store/engines/postgres/snapshot.ts";
import { readSchema } from "../../store/engines/sqlite/migrations.ts";
import { openSnapshots, type Snapshot } from "../../store/engines/sqlite/snapshot.ts";
import { StoreRefusal } from "../../store/refusal.ts";
import { requireMigrated } from "../../store/schema-state.ts";
import { BOOKKEEPERS, type Bookkeeper, describeReconciliation, reconcileBooks } from "./books.ts";
import type { Reconciliation } from "./reconciliation.ts";

/**
 * Reconciles the modules' databases, also while they are served, or those of a backup; it only reads.
 * @param given perhaps the folder that holds them all, DATA_DIR if there is none, and `--orders FILE` and the like for one
 *   that is elsewhere
 * @returns what to tell the operator, and whether all adds up
 * @throws Refusal when more than one folder is named, a database cannot be used, or they cannot be seen as of one moment
 */
export async function reconcileData(given: Arguments): Promise<Told> {
  const { config, words, flags } = given;
  const [, ...more] = words;
  if (more.length > 0) throw new Refusal(`reconcile takes one folder; ${more.join(" ")} is too much.`);
  const isOfFiles = words.length > 0 || BOOKKEEPERS.some((name) => flags.has(name.toUpperCase()));
  const inPostgres = isOfFiles ? [] : BOOKKEEPERS.flatMap((name) => ownDatabase(config, name)?.url ?? []);
  if (inPostgres.length === 0) return reconcileFiles(given);
  if (inPostgres.length === BOOKKEEPERS.length) return reconcileSchemas(config);
  throw new Refusal("reconcile compares files, or schemas of one database; here are both.");
}

interface Told {
  readonly text: string;
  readonly addsUp: boolean;
}

async function reconcileSchemas(config: Config): Promise<Told> {
  const { openSchemaSnapshots } = await import("../../store/engines/postgres/snapshot.ts");
  const places = BOOKKEEPERS.map((name) => ({
    name,
    ...placeInPostgres(config, ownDatabase(config, name)?.url ?? ""),
    migrations: postgresMigrationsOf(name),
  }));
  const [users, products, orders] = (await openSchemaSnapshots(places)) as [
    SchemaSnapshot,
    SchemaSnapshot,
    SchemaSnapshot,
  ];
  try {
    return tell(await reconcileBooks({ users, products, orders }));
  } finally {
    for (const snapshot of [users, products, orders]) await snapshot.close();
  }
}

function tell(reconciliation: Reconciliation): Told {
  return { text: describeReconciliation(reconciliation), addsUp: reconciliation.findings.length === 0 };
}

async function reconcileFiles({ config, words, flags }: Arguments): Promise<Told> {
  const [folder = config.DATA_DIR] = words;
  const fileOf = (name: Bookkeeper) => flags.get(name.toUpperCase()) ?? databaseIn(folder, name);
  const snapshots = await openSnapshots(BOOKKEEPERS.map((name) => ({ name, file: fileOf(name) })));
  try {
    const [users, products, orders] = snapshots as [Snapshot, Snapshot, Snapshot];
    for (const snapshot of snapshots) requireReadable(snapshot);
    return tell(await reconcileBooks({ users, products, orders }));
  } finally {
    for (const snapshot of snapshots) snapshot.close();
  }
}

/** The modules' own code reads the tables. @throws StoreRefusal when it cannot */
function requireReadable({ name, schema }: Snapshot): void {
  try {
    requireMigrated(schema, readSchema(migrationsOf(name as Bookkeeper)));
  } catch (error) {
    throw error instanceof StoreRefusal ? new StoreRefusal(`${name} ${error.message}`, { cause: error }) : error;
  }
}
