import { validationFailed } from "../../base/problem.ts";
import { id as uuid } from "../../contract/schemas.ts";
import type { ProductSort } from "./contract.ts";
import type { Product } from "./product.ts";

/** Where a page of products starts: right after the product with this id, and this price or name if they are in its order. */
export interface ListPosition {
  readonly key: number | string | null;
  readonly id: string;
}

/** @returns undefined for the first page. @throws Problem validation-failed for what no list in this order has answered */
export function readPosition(cursor: string | undefined, sort: ProductSort): ListPosition | undefined {
  if (cursor === undefined) return undefined;
  const position = decode(Buffer.from(cursor, "base64url").toString(), sort);
  if (position !== undefined && encode(position, sort) === cursor) return position;
  throw validationFailed([{ in: "query", pointer: "/cursor", detail: "is not a cursor that this list answered" }]);
}

/** The cursor of the page that starts right after this product. */
export function cursorAfter(product: Product, sort: ProductSort): string {
  return encode({ key: keyOf(product, sort), id: product.id }, sort);
}

function keyOf({ price_cents, name }: Product, sort: ProductSort): ListPosition["key"] {
  if (sort === "newest") return null;
  return sort.endsWith("price") ? price_cents : name;
}

/** By age it is the id alone, as in all lists; else the order is told, so that a cursor is good for no other. */
function encode({ key, id }: ListPosition, sort: ProductSort): string {
  const text = key === null ? id : JSON.stringify([sort, key, id]);
  return Buffer.from(text).toString("base64url");
}

function decode(text: string, sort: ProductSort): ListPosition | undefined {
  const [order, key, id] = sort === "newest" ? [sort, null, text] : parse(text);
  const type = sort === "newest" ? "object" : sort.endsWith("price") ? "number" : "string";
  if (order !== sort || typeof key !== type || uuid.safeParse(id).data !== id) return undefined;
  return { key: key as ListPosition["key"], id: id as string };
}

function parse(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.length === 3 ? value : [];
  } catch {
    return [];
  }
}
