import { Refusal } from "../../base/refusal.ts";
import type { Arguments } from "../../runtime/config.ts";
import { databaseIn, migrationsOf } from "../../runtime/database-files.ts";
import { knownVersion } from "../../store/engines/sqlite/migrations.ts";
import { openSnapshots, type Snapshot } from "../../store/engines/sqlite/snapshot.ts";
import { BOOKKEEPERS, type Bookkeeper, describeReconciliation, reconcileBooks } from "./books.ts";
import { requireFiles } from "./in-postgres.ts";

/**
 * Reconciles the modules' databases, also while they are served, or those of a backup; it only reads.
 * @param given perhaps the folder that holds them all, DATA_DIR if there is none, and `--orders FILE` and the like for one
 *   that is elsewhere
 * @returns what to tell the operator, and whether all adds up
 * @throws Refusal when more than one folder is named, or a database cannot be used
 */
export async function reconcileFiles({ config, words, flags }: Arguments): Promise<{ text: string; addsUp: boolean }> {
  const [folder = config.DATA_DIR, ...more] = words;
  if (more.length > 0) throw new Refusal(`reconcile takes one folder; ${more.join(" ")} is too much.`);
  if (words.length === 0) {
    const inFiles = BOOKKEEPERS.filter((name) => !flags.has(name.toUpperCase()));
    requireFiles(config, inFiles, "reconcile compares files, those of a backup by their folder.");
  }
  const fileOf = (name: Bookkeeper) => flags.get(name.toUpperCase()) ?? databaseIn(folder, name);
  const snapshots = await openSnapshots(BOOKKEEPERS.map((name) => ({ name, file: fileOf(name) })));
  try {
    const [users, products, orders] = snapshots as [Snapshot, Snapshot, Snapshot];
    for (const snapshot of snapshots) requireSchema(snapshot);
    const reconciliation = await reconcileBooks({ users, products, orders });
    return { text: describeReconciliation(reconciliation), addsUp: reconciliation.findings.length === 0 };
  } finally {
    for (const snapshot of snapshots) snapshot.close();
  }
}

/** The modules' own code reads the tables, so they must be as it knows them. */
function requireSchema({ name, schema }: Snapshot): void {
  const known = knownVersion(migrationsOf(name as Bookkeeper));
  if (schema === known) return;
  throw new Refusal(`${name} has schema ${schema}, this reads ${known}: start its process once to bring it there.`);
}
