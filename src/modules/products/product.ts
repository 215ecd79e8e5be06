import type { z } from "zod";
import { Problem, validationFailed } from "../../base/problem.ts";
import { MAX_STOCK, type product, productEtag, products } from "./contract.ts";
import { matchesStrongly } from "./if-match.ts";

export type Product = z.output<typeof product>;

/** What an admin says of a new product. */
export type ProductDraft = Pick<Product, "name" | "description" | "price_cents" | "currency" | "stock">;

/** What may change by hand; a member that is undefined stays as it is. */
export type ProductChanges = {
  readonly [K in "name" | "description" | "price_cents" | "active"]?: Product[K] | undefined;
};

/** A new product, for sale at once. */
export function createProduct(id: string, draft: ProductDraft, now: string): Product {
  const { name, description, price_cents, currency, stock } = draft;
  return { id, name, description, price_cents, currency, stock, active: true, created_at: now, updated_at: now };
}

/**
 * Changes a product, if it is still the one that was seen. One that stays as it is keeps its time of change, too.
 * @param ifMatch the `If-Match` header, if there was one
 * @throws Problem precondition-failed when none of its tags is the product's
 */
export function reviseProduct(
  product: Product,
  changes: ProductChanges,
  ifMatch: string | undefined,
  now: string,
): Product {
  if (ifMatch !== undefined && !matchesStrongly(ifMatch, productEtag(product))) {
    throw new Problem("precondition-failed", "The product is not the one that was seen any more.");
  }
  const {
    name = product.name,
    description = product.description,
    price_cents = product.price_cents,
    active = product.active,
  } = changes;
  const revised = { ...product, name, description, price_cents, active };
  const isSame = Object.entries(revised).every(([member, value]) => product[member as keyof Product] === value);
  return isSame ? product : { ...revised, updated_at: now };
}

/**
 * Adds to a product's stock.
 * @throws Problem validation-failed when the stock would pass its upper bound
 */
export function restockProduct(product: Product, quantity: number, now: string): Product {
  return { ...product, stock: added(product, quantity, "/quantity"), updated_at: now };
}

/**
 * Corrects a product's stock. What orders have reserved is out of it already, so nothing of theirs can be taken.
 * @param delta units found beyond the stock, or missing (negative)
 * @throws Problem insufficient-stock when more is missing than there is, validation-failed when the stock would pass
 *   its upper bound
 */
export function correctProduct(product: Product, delta: number, now: string): Product {
  if (product.stock + delta < 0) {
    const extensions = { product_id: product.id, available: product.stock };
    throw products.problem("insufficient-stock", "There is less in stock than this takes away.", { extensions });
  }
  const stock = delta < 0 ? product.stock + delta : added(product, delta, "/delta");
  return { ...product, stock, updated_at: now };
}

function added(product: Product, quantity: number, pointer: string): number {
  const stock = product.stock + quantity;
  if (stock <= MAX_STOCK) return stock;
  const detail = `must leave the stock at ${MAX_STOCK} or below; it is ${product.stock}`;
  throw validationFailed([{ in: "body", pointer, detail }]);
}
