import { hash } from "node:crypto";
import { z } from "zod";
import { defineContract, operation } from "../../contract/contract.ts";
import {
  currency,
  id,
  idempotencyKey,
  isVisible,
  name,
  page,
  pageQuery,
  priceCents,
  replayed,
  text,
  timestamp,
} from "../../contract/schemas.ts";

export const product = z
  .object({
    id,
    name: z.string().meta({ examples: ["Cup"] }),
    description: z.string().meta({ examples: ["Stoneware, holds a quarter of a litre"] }),
    price_cents: z.int().meta({ examples: [1_999] }),
    currency: z.string().meta({ examples: ["USD"] }),
    stock: z.int().meta({
      examples: [40],
      description:
        "Units that no order has reserved, never below 0. By hand it is at most 1,000,000,000; what a cancelled order gives back always fits, so that after a refill it may be more by as much",
    }),
    active: z.boolean().meta({ examples: [true] }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Product" });

/** The most that may be in stock by anybody's order to add some; what a cancelled order gives back may pass it. */
export const MAX_STOCK = 1_000_000_000;

const productName = name(100).meta({ examples: ["Cup"] });
const description = text(0, 2_000).meta({ examples: ["Stoneware, holds a quarter of a litre"] });
const made = product.extend({ replayed });

/** The strong entity tag of a product: two products that differ anywhere have different tags. */
export function productEtag(value: z.output<typeof product>): string {
  const { id, name, description, price_cents, currency, stock, active, created_at, updated_at } = value;
  const told = { id, name, description, price_cents, currency, stock, active, created_at, updated_at };
  return tagOf(JSON.stringify(told satisfies typeof value));
}

/** @param json a product as it is answered: its members in the order of the schema */
function tagOf(json: string): string {
  return `"${hash("sha256", json, "base64url").slice(0, 22)}"`;
}

/** Orders that a list of products may have; products of the same price or name follow one another by age. */
export const productSort = z.enum(["newest", "price", "-price", "name", "-name"]);
export type ProductSort = z.output<typeof productSort>;

/** Means the same to whoever orders and to whoever corrects the stock. */
export const insufficientStock = {
  kind: "conflict",
  meaning: "There is less of product_id than was asked for: available tells how much.",
  remedy: "Ask for less, or later.",
} as const;

export const products = defineContract({
  name: "products",
  problems: { "insufficient-stock": insufficientStock },
  operations: {
    listProducts: operation({
      method: "GET",
      path: "/products",
      access: "public",
      summary: "List and search products; those that are not for sale for an admin only",
      input: z.strictObject({
        ...pageQuery,
        cursor: z.string().optional(),
        q: text(1, 200)
          .optional()
          .meta({
            description:
              "Words of name or description, all of them; the last may be just its beginning. Neither case nor diacritics count",
            examples: ["stone cu"],
          }),
        sort: productSort.default("newest"),
        active: z
          .enum(["true", "false", "all"])
          .default("true")
          .meta({ description: "Anything but true is for an admin" }),
      }),
      output: page(product),
      problems: ["unauthenticated", "forbidden", "validation-failed"],
      paged: true,
    }),
    getProduct: operation({
      method: "GET",
      path: "/products/{id}",
      access: "public",
      summary: "One product; an inactive one for an admin only",
      input: z.strictObject({ id }),
      output: product,
      problems: ["not-found"],
      etag: (_, json) => tagOf(json),
    }),
    addProduct: operation({
      method: "POST",
      path: "/products",
      access: "admin",
      idempotent: true,
      summary: "Add a product",
      input: z.strictObject({
        name: productName,
        description: description.default(""),
        price_cents: priceCents,
        currency: currency.default("USD"),
        stock: z
          .int()
          .min(0)
          .max(MAX_STOCK)
          .meta({ examples: [40] }),
        idempotencyKey: idempotencyKey.optional(),
      }),
      output: made,
      status: 201,
      problems: [],
      location: ({ id }) => `/products/${id}`,
      etag: (_, json) => tagOf(json),
    }),
    updateProduct: operation({
      method: "PATCH",
      path: "/products/{id}",
      access: "admin",
      summary: "Change a product, if it is still the one that was seen",
      input: z.strictObject({
        id,
        name: productName.optional(),
        description: description.optional(),
        price_cents: priceCents.optional(),
        active: z.boolean().optional(),
        ifMatch: z.string().max(1_000).optional(),
      }),
      inputHeaders: { ifMatch: { name: "If-Match" } },
      output: product,
      problems: ["not-found", "precondition-failed"],
      etag: (_, json) => tagOf(json),
    }),
    restockProduct: operation({
      method: "POST",
      path: "/products/{id}/restock",
      access: "admin",
      idempotent: true,
      summary: "Add to a product's stock",
      input: z.strictObject({
        id,
        quantity: z
          .int()
          .min(1)
          .max(1_000)
          .meta({ examples: [10] }),
        idempotencyKey: idempotencyKey.optional(),
      }),
      output: made,
      problems: ["not-found", "validation-failed"],
      etag: (_, json) => tagOf(json),
    }),
    correctProduct: operation({
      method: "POST",
      path: "/products/{id}/correct",
      access: "admin",
      idempotent: true,
      summary: "Correct a product's stock after a count, up or down, and say why",
      input: z.strictObject({
        id,
        delta: z
          .int()
          .min(-MAX_STOCK)
          .max(MAX_STOCK)
          .refine((delta) => delta !== 0, "must not be 0")
          .meta({ examples: [-2], description: "Units found beyond what the stock says, or missing" }),
        reason: text(1, 200)
          .refine(isVisible, "must not be blank")
          .meta({ examples: ["two broken in the warehouse"] }),
        idempotencyKey: idempotencyKey.optional(),
      }),
      output: made,
      problems: [
        "not-found",
        "insufficient-stock",
        "validation-failed",
        "idempotency-key-reused",
        "request-in-progress",
      ],
      etag: (_, json) => tagOf(json),
    }),
  },
  events: {
    "stock.reserved": z.object({ order_id: id }),
    "stock.rejected": z.object({
      order_id: id,
      reason: z.enum(["insufficient-stock", "product-not-found"]),
      product_id: id,
    }),
    "stock.released": z.object({ order_id: id }),
  },
});
