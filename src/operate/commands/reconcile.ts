import { Refusal } from "../../base/refusal.ts";
import { readOrderBook } from "../../modules/orders/index.ts";
import { readStockBook } from "../../modules/products/index.ts";
import { readUserIds } from "../../modules/users/index.ts";
import type { Arguments } from "../../runtime/config.ts";
import { databaseIn, migrationsOf } from "../../runtime/database-files.ts";
import { knownVersion } from "../../store/engines/sqlite/migrations.ts";
import { openSnapshots, type Snapshot } from "../../store/engines/sqlite/snapshot.ts";
import { type Reconciliation, reconcile } from "./reconciliation.ts";

/** The modules whose books are compared. */
export const BOOKKEEPERS = ["users", "products", "orders"] as const;
type Bookkeeper = (typeof BOOKKEEPERS)[number];

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
  const fileOf = (name: Bookkeeper) => flags.get(name.toUpperCase()) ?? databaseIn(folder, name);
  const snapshots = await openSnapshots(BOOKKEEPERS.map((name) => ({ name, file: fileOf(name) })));
  try {
    const [users, products, orders] = snapshots as [Snapshot, Snapshot, Snapshot];
    for (const snapshot of snapshots) requireSchema(snapshot);
    return tell(await compare(users, products, orders));
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

async function compare(users: Snapshot, products: Snapshot, orders: Snapshot): Promise<Reconciliation> {
  const underWay = new Set<string>();
  for (const { subject } of orders.eventsBeyond(products.cursors("orders"))) underWay.add(subject);
  for (const { subject } of products.eventsBeyond(orders.cursors("products"))) underWay.add(subject);
  const deadLetters = new Map<string, string>();
  for (const { name, deadLetters: letters } of [orders, products]) {
    for (const { subject } of letters()) deadLetters.set(subject, name);
  }
  return reconcile({
    orders: readOrderBook(orders),
    stock: await readStockBook(products),
    userIds: await readUserIds(users),
    underWay,
    deadLetters,
  });
}

function tell({ findings, ...counts }: Reconciliation): { text: string; addsUp: boolean } {
  const looked = `Orders looked at: ${counts.orders}; not judged, since events of them are under way: ${counts.underWay}.`;
  if (findings.length === 0) return { text: `${looked}\nAll adds up.`, addsUp: true };
  return { text: [looked, "This does not add up:", ...findings.map((line) => `  ${line}`)].join("\n"), addsUp: false };
}
