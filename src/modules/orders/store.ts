import { MAX as MAX_ID } from "uuid";
import { Problem } from "../../base/problem.ts";
import type { Claim } from "../../contract/claim.ts";
import type { EventDraft } from "../../contract/event.ts";
import type { Begin } from "../../contract/in-time.ts";
import { type Query, sql } from "../../store/sql.ts";
import type { Store } from "../../store/store.ts";
import type { Reading, Step, Unit, Work } from "../../store/unit.ts";
import type { Order, Outcome } from "./order.ts";

/** Which orders a list shows; a member that is undefined lets all pass. */
export interface OrderFilter {
  readonly userId: string | undefined;
  readonly status: Order["status"] | undefined;
}

/** All that is kept of orders. What changes together is one method and one unit of work. */
export interface OrderStore {
  find(id: string): Promise<Order | undefined>;
  /** At most `limit` orders with ids below `before`, newest first. */
  list(filter: OrderFilter, before: string | undefined, limit: number): Promise<Order[]>;
  /**
   * Keeps a new order, the event that tells of it, and the answer to a retry.
   * @param begin what it throws is thrown, and nothing is kept
   */
  place(order: Order, created: EventDraft, claim: Claim | undefined, begin: Begin): Promise<Order>;
  /**
   * Changes an order by a rule that sees it as it is at that moment, and appends the event if that changed it.
   * @param then called once that is on disk
   * @throws Problem not-found, or whatever the rule or `begin` throws; nothing has changed then
   */
  cancel(
    id: string,
    rule: (order: Order) => Order,
    cancelled: EventDraft,
    begin: Begin,
    then: () => void,
  ): Promise<Order>;
  /** In a unit of work: does to an order what the rule makes of a reply to it. Answers undefined when there is no such order. */
  settle(unit: Unit, id: string, rule: (order: Order) => Outcome): Work<Outcome | undefined>;
}

type Row = Omit<Order, "items" | "rejection"> & { readonly items: string; readonly rejection: string | null };

const COLUMNS = sql`id, user_id, status, items, total_cents, currency, rejection, created_at, updated_at`;

export function createOrderStore(store: Store): OrderStore {
  return {
    find: (id) => store.read((reading) => find(reading, id)),
    list: (filter, before = MAX_ID, limit) => store.read((reading) => list(reading, listOrders(filter, before, limit))),
    place: (order, created, claim, begin) => store.write((unit) => place(unit, order, created, claim, begin)),
    cancel: (id, rule, cancelled, begin, then) =>
      store.write((unit) => {
        unit.afterCommit(then);
        return cancel(unit, id, rule, cancelled, begin);
      }),
    settle,
  };
}

function* place(unit: Unit, order: Order, created: EventDraft, claim: Claim | undefined, begin: Begin): Work<Order> {
  begin();
  yield* insert(unit, order);
  yield* unit.append(created);
  if (claim !== undefined) yield* unit.keepAnswer(claim, order);
  return order;
}

function* cancel(
  unit: Unit,
  id: string,
  rule: (order: Order) => Order,
  cancelled: EventDraft,
  begin: Begin,
): Work<Order> {
  begin();
  const before = yield* lock(unit, id);
  if (before === undefined) throw new Problem("not-found", "There is no such order.");
  const after = rule(before);
  if (after === before) return before;
  yield* update(unit, after);
  yield* unit.append(cancelled);
  return after;
}

function* settle(unit: Unit, id: string, rule: (order: Order) => Outcome): Work<Outcome | undefined> {
  const before = yield* lock(unit, id);
  const outcome = before && rule(before);
  if (outcome !== undefined && outcome !== "contradiction" && outcome !== before) yield* update(unit, outcome);
  return outcome;
}

function* list(reading: Reading, query: Query<Row>): Work<Order[]> {
  return (yield* reading.all(query)).map(toOrder);
}

function* find(reading: Reading, id: string): Work<Order | undefined> {
  const row = yield* reading.get(byId(id));
  return row && toOrder(row);
}

function* lock(unit: Unit, id: string): Work<Order | undefined> {
  const row = yield* unit.lock(byId(id));
  return row && toOrder(row);
}

function byId(id: string): Query<Row> {
  return sql<Row>`SELECT ${COLUMNS} FROM orders WHERE id = ${id}`;
}

function insert(unit: Unit, order: Order): Step<number> {
  const { id, user_id, status, items, total_cents, currency, rejection, created_at, updated_at } = order;
  return unit.run(
    sql`INSERT INTO orders (${COLUMNS}) VALUES (${id}, ${user_id}, ${status}, ${JSON.stringify(items)}, ${total_cents},
      ${currency}, ${toText(rejection)}, ${created_at}, ${updated_at})`,
  );
}

function update(unit: Unit, { id, status, rejection, updated_at }: Order): Step<number> {
  return unit.run(
    sql`UPDATE orders SET status = ${status}, rejection = ${toText(rejection)}, updated_at = ${updated_at} WHERE id = ${id}`,
  );
}

/** A user's orders are in two indexes: the pending ones, and all others by their status. */
const OF_USER = sql`SELECT ${COLUMNS} FROM orders WHERE user_id =`;
const PENDING = sql`status = 'pending'`;
const SETTLED = sql`status <> 'pending'`;

/** The statement of a list; each reads just the rows that it answers, whatever there are (a test looks at their plans). */
export function listOrders({ userId, status }: OrderFilter, before: string, limit: number): Query<Row> {
  const page = sql`id < ${before} ORDER BY id DESC LIMIT ${limit}`;
  if (userId === undefined) {
    if (status === undefined) return sql<Row>`SELECT ${COLUMNS} FROM orders WHERE ${page}`;
    return sql<Row>`SELECT ${COLUMNS} FROM orders WHERE status = ${status} AND ${page}`;
  }
  if (status === "pending") return sql<Row>`${OF_USER} ${userId} AND ${PENDING} AND ${page}`;
  if (status !== undefined) return sql<Row>`${OF_USER} ${userId} AND ${SETTLED} AND status = ${status} AND ${page}`;
  return sql<Row>`${OF_USER} ${userId} AND ${PENDING} AND id < ${before} UNION ALL
    ${OF_USER} ${userId} AND ${SETTLED} AND status = 'confirmed' AND id < ${before} UNION ALL
    ${OF_USER} ${userId} AND ${SETTLED} AND status = 'rejected' AND id < ${before} UNION ALL
    ${OF_USER} ${userId} AND ${SETTLED} AND status = 'cancelled' AND ${page}`;
}

function toOrder(row: Row): Order {
  return { ...row, items: JSON.parse(row.items), rejection: row.rejection === null ? null : JSON.parse(row.rejection) };
}

function toText(rejection: Order["rejection"]): string | null {
  return rejection === null ? null : JSON.stringify(rejection);
}
