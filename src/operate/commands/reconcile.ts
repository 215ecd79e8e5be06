import { parseArgs } from "node:util";
import { Refusal } from "../../base/refusal.ts";
import { readOrderBook } from "../../modules/orders/index.ts";
import { readStockBook } from "../../modules/products/index.ts";
import { readUserIds } from "../../modules/users/index.ts";
import { databaseIn, migrationsOf } from "../../runtime/database-files.ts";
import { knownVersion } from "../../store/engines/sqlite/migrations.ts";
import { openSnapshots, type Snapshot } from "../../store/engines/sqlite/snapshot.ts";
import { type Reconciliation, reconcile } from "./reconciliation.ts";

/** The modules whose books are compared. */
const BOOKKEEPERS = ["users", "products", "orders"] as const;
type Bookkeeper = (typeof BOOKKEEPERS)[number];

/**
 * Reconciles the modules' databases, also while they are served, or those of a backup; it only reads.
 * @param args perhaps the folder that holds them all, or `--data-dir` and it, and `--orders FILE` and the like for one
 *   that is elsewhere
 * @param dataDir the folder, where none is named
 * @returns what to tell the operator, and whether all adds up
 * @throws Refusal when the arguments cannot be read; StoreRefusal when a database cannot
 */
export async function reconcileFiles(
  args: readonly string[],
  dataDir: string,
): Promise<{ text: string; addsUp: boolean }> {
  const fileOf = readFiles(args, dataDir);
  const snapshots = await openSnapshots(BOOKKEEPERS.map((name) => ({ name, file: fileOf(name) })));
  try {
    const [users, products, orders] = snapshots as [Snapshot, Snapshot, Snapshot];
    for (const snapshot of snapshots) requireSchema(snapshot);
    return tell(await compare(users, products, orders));
  } finally {
    for (const snapshot of snapshots) snapshot.close();
  }
}

function readFiles(args: readonly string[], dataDir: string): (name: Bookkeeper) => string {
  const file = { type: "string" } as const;
  const options = { users: file, products: file, orders: file, "data-dir": file };
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [folder = values["data-dir"] || dataDir, ...more] = positionals;
    if (more.length > 0) throw new Error(`reconcile takes one folder; ${more.join(" ")} is too much.`);
    return (name) => values[name] ?? databaseIn(folder, name);
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error));
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
