import { sql } from "../../store/sql.ts";
import type { Store } from "../../store/store.ts";
import type { Refusal } from "./reservation.ts";

/** What products knows of its stock, for whoever compares it with what others know. */
export interface StockBook {
  /** Of each product its stock, and the sum of all changes that led to it. */
  readonly products: readonly { readonly id: string; readonly stock: number; readonly ledgerSum: number }[];
  /** How each order was decided, by its id. */
  readonly reservations: ReadonlyMap<string, Reservation>;
}

export interface Reservation {
  readonly state: "reserved" | "released" | Refusal;
  /** Units taken and not given back, per product; empty when there are none. */
  readonly held: ReadonlyMap<string, number>;
}

/** Reads the book from a database, which may be a copy or another process's. */
export function readStockBook(database: Pick<Store, "read">): Promise<StockBook> {
  return database.read(function* (reading) {
    const products = yield* reading.all(
      sql<{ id: string; stock: number; ledgerSum: number }>`SELECT id, stock,
        CAST(coalesce((SELECT sum(delta) FROM stock_ledger WHERE product_id = products.id), 0) AS BIGINT) AS "ledgerSum"
        FROM products ORDER BY id`,
    );
    const refused = yield* reading.all(
      sql<{ orderId: string; state: Refusal }>`SELECT order_id AS "orderId", state FROM refusals`,
    );
    const moved = yield* reading.all(
      sql<{ orderId: string; productId: string; held: number }>`SELECT cause AS "orderId", product_id AS "productId",
        CAST(-sum(delta) AS BIGINT) AS held FROM stock_ledger WHERE reason IN ('reserved', 'released') GROUP BY cause, product_id`,
    );
    const reservations = new Map<string, { state: Reservation["state"]; held: Map<string, number> }>();
    for (const { orderId, state } of refused) reservations.set(orderId, { state, held: new Map() });
    for (const { orderId, productId, held } of moved) {
      const reservation = reservations.get(orderId) ?? { state: "released", held: new Map() };
      reservations.set(orderId, reservation);
      if (held === 0) continue;
      reservation.state = "reserved";
      reservation.held.set(productId, held);
    }
    return { products, reservations };
  });
}
