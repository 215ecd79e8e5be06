import type { BookedOrder } from "../../modules/orders/index.ts";
import type { Reservation, StockBook } from "../../modules/products/index.ts";

/** What each module knows, read from its own database. */
export interface Books {
  readonly orders: AsyncIterable<BookedOrder> | Iterable<BookedOrder>;
  readonly stock: StockBook;
  readonly userIds: ReadonlySet<string>;
  /** Orders that a module has yet to hear something of. */
  readonly underWay: ReadonlySet<string>;
  /** Orders of which a module could not apply an event, and whose. */
  readonly deadLetters: ReadonlyMap<string, string>;
}

export interface Reconciliation {
  /** What does not add up, a line each. */
  readonly findings: readonly string[];
  readonly orders: number;
  /** Orders that were not judged, since the last word on them is under way. */
  readonly underWay: number;
}

type Status = BookedOrder["status"];
type State = Reservation["state"] | undefined;

/** How products may have decided an order that has this status; undefined for not at all. */
const DECISIONS: Readonly<Record<Status, readonly State[]>> = {
  pending: [undefined],
  confirmed: ["reserved"],
  rejected: ["rejected"],
  // Given back; cancelled before it came; or rejected while it was being cancelled.
  cancelled: ["released", "cancelled", "rejected"],
};

const NOTHING_HELD: ReadonlyMap<string, number> = new Map();

/** Compares what orders, products and users know of the same orders. */
export async function reconcile({ orders, stock, userIds, underWay, deadLetters }: Books): Promise<Reconciliation> {
  const findings = stock.products
    .filter((product) => product.stock !== product.ledgerSum)
    .map(({ id, stock, ledgerSum }) => `product ${id} has a stock of ${stock}, its ledger adds up to ${ledgerSum}`);
  const unknown = new Map(stock.reservations);
  let judged = 0;
  let skipped = 0;
  for await (const order of orders) {
    judged += 1;
    const { id, userId } = order;
    unknown.delete(id);
    if (!userIds.has(userId)) findings.push(`order ${id} is of user ${userId}, whom users does not know`);
    if (underWay.has(id)) {
      skipped += 1;
      continue;
    }
    const fault = judge(order, stock.reservations.get(id));
    const cause = deadLetters.has(id) ? `; an event of it is a dead letter of ${deadLetters.get(id)}` : "";
    if (fault !== undefined) findings.push(`order ${id} ${fault}${cause}`);
  }
  for (const [id, { state, held }] of unknown) {
    findings.push(`order ${id} is not known to orders, but products has ${describe(state, held)}`);
  }
  return { findings, orders: judged, underWay: skipped };
}

/** What is wrong with an order of which nothing is under way; undefined when nothing is. */
function judge({ status, units }: BookedOrder, reservation: Reservation | undefined): string | undefined {
  const { state, held } = reservation ?? { state: undefined, held: NOTHING_HELD };
  if (status === "pending" && reservation === undefined) return "is pending, and products will not hear of it again";
  const expected = state === "reserved" ? units : NOTHING_HELD;
  if (DECISIONS[status].includes(state) && isSame(held, expected)) return undefined;
  return `is ${status}, but products has ${describe(state, held)}${units.size > 0 ? `; it is for ${list(units)}` : ""}`;
}

function describe(state: State, held: ReadonlyMap<string, number>): string {
  const decision = state === undefined ? "not decided it" : `it ${state}`;
  return `${decision} and holds ${held.size === 0 ? "nothing" : list(held)}`;
}

function list(units: ReadonlyMap<string, number>): string {
  return [...units].map(([productId, quantity]) => `${quantity} of ${productId}`).join(", ");
}

function isSame(held: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): boolean {
  return held.size === expected.size && [...expected].every(([productId, units]) => held.get(productId) === units);
}
