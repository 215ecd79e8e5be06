import type { z } from "zod";
import { type Problem, validationFailed } from "../../base/problem.ts";
import type { product } from "../products/contract.ts";
import { type order, orders } from "./contract.ts";

export type Order = z.output<typeof order>;
export type Product = z.output<typeof product>;
export type Rejection = NonNullable<Order["rejection"]>;

/** Units per product, in the order the products are first named. */
export type Units = ReadonlyMap<string, number>;

/**
 * What a reply to an order makes of it: the order as it is then, the very same object when there is nothing to
 * change, or a contradiction of what is final, which changes nothing and has to be reconciled by a person.
 */
export type Outcome = Order | "contradiction";

/** Two lines for one product are one demand. */
export function addUp(lines: Iterable<{ readonly product_id: string; readonly quantity: number }>): Units {
  const units = new Map<string, number>();
  for (const line of lines) units.set(line.product_id, (units.get(line.product_id) ?? 0) + line.quantity);
  return units;
}

/**
 * Places an order: prices and names are frozen as they are now. The look at the stock is only advice, so that an
 * order that has no chance fails at once; what takes the stock decides.
 *
 * @param products one for each of the units
 * @throws Problem product-not-found for one that is not for sale, mixed-currencies, validation-failed for a total that no
 *   number can tell exactly, insufficient-stock
 */
export function placeOrder(
  id: string,
  userId: string,
  units: Units,
  products: ReadonlyMap<string, Product>,
  now: string,
): Order {
  const lines = [...units].map(([productId, quantity]) => ({ product: forSale(productId, products), quantity }));
  const currency = theCurrency(lines.map(({ product }) => product));
  requireExactTotal(lines);
  for (const { product, quantity } of lines) if (product.stock < quantity) throw insufficientStock(product);
  const items = lines.map(({ product, quantity }) => ({
    product_id: product.id,
    name: product.name,
    quantity,
    unit_price_cents: product.price_cents,
    line_total_cents: product.price_cents * quantity,
  }));
  return {
    id,
    user_id: userId,
    status: "pending",
    items,
    total_cents: items.reduce((sum, item) => sum + item.line_total_cents, 0),
    currency,
    rejection: null,
    created_at: now,
    updated_at: now,
  };
}

/** Its stock was reserved. One that was cancelled meanwhile stays so: the cancellation gives the stock back. */
export function confirmOrder(order: Order, now: string): Outcome {
  if (order.status === "pending") return { ...order, status: "confirmed", updated_at: now };
  return order.status === "rejected" ? "contradiction" : order;
}

/** There was not stock enough. One that was cancelled meanwhile stays so: nothing was taken. */
export function rejectOrder(order: Order, rejection: Rejection, now: string): Outcome {
  if (order.status === "pending") return { ...order, status: "rejected", rejection, updated_at: now };
  return order.status === "confirmed" ? "contradiction" : order;
}

/** Its stock came back, which only a cancellation can have asked for; nothing is left to change. */
export function acknowledgeRelease(order: Order): Outcome {
  return order.status === "cancelled" ? order : "contradiction";
}

/**
 * Cancels an order that is pending or confirmed; a second time changes nothing.
 * @throws Problem order-not-cancellable for a rejected one
 */
export function cancelOrder(order: Order, now: string): Order {
  if (order.status === "cancelled") return order;
  if (order.status === "rejected") {
    throw orders.problem("order-not-cancellable", "The order was rejected; there is nothing to cancel.");
  }
  return { ...order, status: "cancelled", updated_at: now };
}

/** The problem of a product that is not there, or not for sale: to a buyer the same. */
export function productNotFound(productId: string): Problem {
  const extensions = { product_id: productId };
  return orders.problem("product-not-found", "One of the products is not for sale.", { extensions });
}

function forSale(productId: string, products: ReadonlyMap<string, Product>): Product {
  const product = products.get(productId);
  if (product === undefined || !product.active) throw productNotFound(productId);
  return product;
}

function theCurrency(products: readonly Product[]): string {
  const [currency, ...others] = new Set(products.map((product) => product.currency));
  if (currency === undefined) throw new Error("an order has at least one line");
  if (others.length > 0) {
    throw orders.problem(
      "mixed-currencies",
      `All lines share one currency; these have ${[currency, ...others].join(", ")}.`,
    );
  }
  return currency;
}

/** What passes the largest safe integer is no whole number of cents any more, here or with those who read it. */
function requireExactTotal(lines: readonly { readonly product: Product; readonly quantity: number }[]): void {
  const total = lines.reduce((sum, { product, quantity }) => sum + product.price_cents * quantity, 0);
  if (total <= Number.MAX_SAFE_INTEGER) return;
  const detail = `must cost ${Number.MAX_SAFE_INTEGER} minor units or less, all together`;
  throw validationFailed([{ in: "body", pointer: "", detail }]);
}

function insufficientStock(product: Product): Problem {
  const extensions = { product_id: product.id, available: product.stock };
  return orders.problem("insufficient-stock", "There is not enough of one of the products.", { extensions });
}
