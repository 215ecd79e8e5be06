import type { CloudEvent } from "../../contract/event.ts";
import { readOrderBook } from "../../modules/orders/index.ts";
import { readStockBook } from "../../modules/products/index.ts";
import { readUserIds } from "../../modules/users/index.ts";
import { rowsAfter } from "../../store/log/stored-log.ts";
import { sql } from "../../store/sql.ts";
import type { Position, Store } from "../../store/store.ts";
import { type Reconciliation, reconcile } from "./reconciliation.ts";

/** The modules whose books are compared. */
export const BOOKKEEPERS = ["users", "products", "orders"] as const;
export type Bookkeeper = (typeof BOOKKEEPERS)[number];

/** A module's database as it is at one moment, by whichever engine. */
export interface Database extends Pick<Store, "read"> {
  /** Its events that have no number yet, as JSON text; none where each gets one at once. */
  arrivals?(): Promise<readonly string[]>;
}

/** Events read at a time. */
const PAGE = 1_000;

/** Compares what these databases, all of the same moment, know of the same orders. */
export async function reconcileBooks({
  users,
  products,
  orders,
}: Readonly<Record<Bookkeeper, Database>>): Promise<Reconciliation> {
  const underWay = new Set<string>();
  for await (const { subject } of eventsBeyond(orders, await cursorsOf(products, "orders"))) underWay.add(subject);
  for await (const { subject } of eventsBeyond(products, await cursorsOf(orders, "products"))) underWay.add(subject);
  for (const publisher of [orders, products]) {
    for (const event of (await publisher.arrivals?.()) ?? []) underWay.add(JSON.parse(event).subject);
  }
  const deadLetters = new Map<string, string>();
  for (const { subject } of await deadLettersOf(orders)) deadLetters.set(subject, "orders");
  for (const { subject } of await deadLettersOf(products)) deadLetters.set(subject, "products");
  return reconcile({
    orders: readOrderBook(orders),
    stock: await readStockBook(products),
    userIds: await readUserIds(users),
    underWay,
    deadLetters,
  });
}

/** What came of it, for the operator to read. */
export function describeReconciliation({ findings, ...counts }: Reconciliation): string {
  const looked = `Orders looked at: ${counts.orders}; not judged, since events of them are under way: ${counts.underWay}.`;
  if (findings.length === 0) return `${looked}\nAll adds up.`;
  return [looked, "This does not add up:", ...findings.map((line) => `  ${line}`)].join("\n");
}

/** The last row applied of a publisher's log, for each epoch of it. */
async function cursorsOf(subscriber: Database, publisher: string): Promise<ReadonlyMap<string, number>> {
  const positions = await subscriber.read((reading) =>
    reading.all(sql<Position>`SELECT epoch, seq FROM cursors WHERE publisher = ${publisher}`),
  );
  return new Map(positions.map(({ epoch, seq }) => [epoch, seq]));
}

/** The events of a publisher that a subscriber has not applied, given its cursors, oldest first. */
async function* eventsBeyond(publisher: Database, cursors: ReadonlyMap<string, number>): AsyncGenerator<CloudEvent> {
  for (let after = 0; ; ) {
    const rows = await publisher.read((reading) => reading.all(rowsAfter(after, PAGE)));
    for (const { seq, epoch, event } of rows) if (seq > (cursors.get(epoch) ?? 0)) yield JSON.parse(event);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.seq;
  }
}

async function deadLettersOf(module: Database): Promise<CloudEvent[]> {
  const rows = await module.read((reading) => reading.all(sql<{ event: string }>`SELECT event FROM dead_letters`));
  return rows.map(({ event }) => JSON.parse(event));
}
