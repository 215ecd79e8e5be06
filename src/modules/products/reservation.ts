import type { EventData } from "../../contract/contract.ts";
import type { orders } from "../orders/contract.ts";
import type { products } from "./contract.ts";
import type { Product } from "./product.ts";

/** Why an order took nothing; `cancelled` is the tombstone of one whose cancellation came before it. */
export type Refusal = "rejected" | "cancelled";

export type OrderLines = EventData<typeof orders, "order.created">["items"];

/** Why an order gets nothing: the first of its products that cannot be had. */
export type Rejection = Omit<EventData<typeof products, "stock.rejected">, "order_id">;

/** Units per product, in the order the products are first named: two lines for one product are one demand. */
export function addUp(lines: OrderLines): ReadonlyMap<string, number> {
  const units = new Map<string, number>();
  for (const line of lines) units.set(line.product_id, (units.get(line.product_id) ?? 0) + line.quantity);
  return units;
}

/**
 * Decides an order, all of it or nothing.
 * @returns undefined when every product is for sale and there is enough of it, else why not
 */
export function findRejection(
  units: ReadonlyMap<string, number>,
  productOf: (id: string) => Product | undefined,
): Rejection | undefined {
  for (const [product_id, quantity] of units) {
    const product = productOf(product_id);
    if (product === undefined || !product.active) return { reason: "product-not-found", product_id };
    if (product.stock < quantity) return { reason: "insufficient-stock", product_id };
  }
  return undefined;
}
