import { MAX as MAX_ID } from "uuid";
import { newIdsAfter } from "../../base/id.ts";
import { Problem } from "../../base/problem.ts";
import type { EventDraft } from "../../contract/event.ts";
import type { Begin } from "../../contract/in-time.ts";
import type { Claim, Store } from "../../store/store.ts";
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
   * @throws Problem not-found, or whatever the rule or `begin` throws; nothing has changed then
   */
  cancel(id: string, rule: (order: Order) => Order, cancelled: EventDraft, begin: Begin): Promise<Order>;
  /**
   * Inside a unit of work: does to an order what the rule makes of a reply to it.
   * @returns undefined when there is no such order
   */
  settle(id: string, rule: (order: Order) => Outcome): Outcome | undefined;
}

type Row = Omit<Order, "items" | "rejection"> & { readonly items: string; readonly rejection: string | null };
type ListParams = [{ userId: string | undefined; status: string | undefined; before: string; limit: number }];

const COLUMNS = "id, user_id, status, items, total_cents, currency, rejection, created_at, updated_at";
const PAGE = "id < :before ORDER BY id DESC LIMIT :limit";

/** A user's orders are in two indexes: the pending ones, and all others by their status. */
const OF_USER = `SELECT ${COLUMNS} FROM orders WHERE user_id = :userId`;
const PENDING = "status = 'pending'";
const SETTLED = "status <> 'pending'";
const EACH_SETTLED = ["confirmed", "rejected", "cancelled"].map((status) => `${SETTLED} AND status = '${status}'`);

/** The lists' statements; each reads just the rows that it answers, whatever there are (a test looks at their plans). */
export const LIST_SQL = {
  all: `SELECT ${COLUMNS} FROM orders WHERE ${PAGE}`,
  ofStatus: `SELECT ${COLUMNS} FROM orders WHERE status = :status AND ${PAGE}`,
  ofUser: [PENDING, ...EACH_SETTLED]
    .map((some) => `${OF_USER} AND ${some} AND `)
    .join("id < :before UNION ALL ")
    .concat(PAGE),
  ofUserPending: `${OF_USER} AND ${PENDING} AND ${PAGE}`,
  ofUserSettled: `${OF_USER} AND ${SETTLED} AND status = :status AND ${PAGE}`,
} as const;

export function createOrderStore(store: Store): OrderStore {
  newIdsAfter(store.prepare<[], { id: string | null }>("SELECT max(id) AS id FROM orders").get()?.id);
  const sql = prepare(store);

  const find = (id: string): Order | undefined => {
    const row = sql.find.get(id);
    return row && toOrder(row);
  };

  return {
    async find(id) {
      return find(id);
    },
    async list({ userId, status }, before = MAX_ID, limit) {
      const statement = sql.lists[listOf(userId, status)];
      return statement.all({ userId, status, before, limit }).map(toOrder);
    },
    place(order, created, claim, begin) {
      return store.write((unit) => {
        begin();
        sql.insert.run(toRow(order));
        unit.append(created);
        if (claim !== undefined) unit.keepAnswer(claim, order);
        return order;
      });
    },
    cancel(id, rule, cancelled, begin) {
      return store.write((unit) => {
        begin();
        const before = find(id);
        if (before === undefined) throw new Problem("not-found", "There is no such order.");
        const after = rule(before);
        if (after === before) return before;
        sql.update.run(toChange(after));
        unit.append(cancelled);
        return after;
      });
    },
    settle(id, rule) {
      const before = find(id);
      const outcome = before && rule(before);
      if (outcome !== undefined && outcome !== "contradiction" && outcome !== before) sql.update.run(toChange(outcome));
      return outcome;
    },
  };
}

function prepare(store: Store) {
  const list = (name: keyof typeof LIST_SQL) => store.prepare<ListParams, Row>(LIST_SQL[name]);
  return {
    lists: {
      all: list("all"),
      ofStatus: list("ofStatus"),
      ofUser: list("ofUser"),
      ofUserPending: list("ofUserPending"),
      ofUserSettled: list("ofUserSettled"),
    },
    find: store.prepare<[string], Row>(`SELECT ${COLUMNS} FROM orders WHERE id = ?`),
    insert: store.prepare<[Row]>(
      `INSERT INTO orders (${COLUMNS}) VALUES
       (:id, :user_id, :status, :items, :total_cents, :currency, :rejection, :created_at, :updated_at)`,
    ),
    update: store.prepare<[Pick<Row, "id" | "status" | "rejection" | "updated_at">]>(
      "UPDATE orders SET status = :status, rejection = :rejection, updated_at = :updated_at WHERE id = :id",
    ),
  };
}

function listOf(userId: string | undefined, status: Order["status"] | undefined): keyof typeof LIST_SQL {
  if (userId === undefined) return status === undefined ? "all" : "ofStatus";
  if (status === undefined) return "ofUser";
  return status === "pending" ? "ofUserPending" : "ofUserSettled";
}

function toOrder(row: Row): Order {
  return { ...row, items: JSON.parse(row.items), rejection: row.rejection === null ? null : JSON.parse(row.rejection) };
}

function toRow(order: Order): Row {
  return { ...order, ...toChange(order), items: JSON.stringify(order.items) };
}

/** What may change of an order. */
function toChange({ id, status, rejection, updated_at }: Order) {
  return { id, status, rejection: rejection === null ? null : JSON.stringify(rejection), updated_at };
}
