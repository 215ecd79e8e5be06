import { z } from "zod";
import { defineContract, operation } from "../../contract/contract.ts";
import { id, idempotencyKey, page, pageQuery, replayed, timestamp } from "../../contract/schemas.ts";
import { insufficientStock } from "../products/contract.ts";

const quantity = z
  .int()
  .min(1)
  .max(1_000)
  .meta({ examples: [2] });
const line = z.strictObject({ product_id: id, quantity });
const status = z.enum(["pending", "confirmed", "rejected", "cancelled"]);
const rejection = z.object({ reason: z.enum(["insufficient-stock", "product-not-found"]), product_id: id });

/** The longest wait that `Prefer: wait=N` may ask for, in seconds; more is taken as this. */
const MAX_WAIT_SECONDS = 30;

const PRODUCT_ID = "01981a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b";

export const order = z
  .object({
    id,
    user_id: id,
    status,
    items: z.array(
      z.object({
        product_id: id,
        name: z.string().meta({ examples: ["Cup"] }),
        quantity: z.int().meta({ examples: [2] }),
        unit_price_cents: z.int().meta({ examples: [1_999] }),
        line_total_cents: z.int().meta({ examples: [3_998] }),
      }),
    ),
    total_cents: z.int().meta({ examples: [3_998] }),
    currency: z.string().meta({ examples: ["USD"] }),
    rejection: rejection.nullable().meta({ examples: [null] }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Order" });

export const orders = defineContract({
  name: "orders",
  problems: {
    "insufficient-stock": insufficientStock,
    "order-not-cancellable": {
      kind: "conflict",
      meaning: "The order was rejected, so that there is nothing to cancel.",
      remedy: "Nothing needs to be done: no stock was taken.",
    },
    "product-not-found": {
      kind: "unprocessable",
      meaning: "A product of the order does not exist, or is not sold any more.",
      remedy: "Choose from the products that GET /products lists.",
    },
    "user-not-found": {
      kind: "unprocessable",
      meaning: "The user whom the order is for does not exist.",
      remedy: "Leave user_id out to order for yourself, or check it.",
    },
    "mixed-currencies": {
      kind: "unprocessable",
      meaning: "The products of the order are priced in different currencies.",
      remedy: "Place one order for each currency.",
    },
  },
  operations: {
    placeOrder: operation({
      method: "POST",
      path: "/orders",
      aliases: ["/orders/create"],
      access: "user",
      idempotent: true,
      summary: "Place an order; whether there is stock enough is decided right after",
      input: z
        .strictObject({
          user_id: id.optional(),
          product_id: id.optional(),
          quantity: quantity.optional(),
          items: z.array(line).min(1).max(50).optional(),
          idempotencyKey: idempotencyKey.optional(),
        })
        .superRefine(exactlyOneForm)
        .meta({
          oneOf: [{ required: ["product_id", "quantity"] }, { required: ["items"] }],
          examples: [{ product_id: PRODUCT_ID, quantity: 2 }, { items: [{ product_id: PRODUCT_ID, quantity: 2 }] }],
        }),
      output: order.extend({ replayed }),
      status: 201,
      problems: [
        "forbidden",
        "insufficient-stock",
        "product-not-found",
        "user-not-found",
        "mixed-currencies",
        "validation-failed",
      ],
      location: ({ id }) => `/orders/${id}`,
    }),
    listOrders: operation({
      method: "GET",
      path: "/orders",
      access: "user",
      summary: "List one's own orders; an admin sees all, or those of one user",
      input: z.strictObject({ ...pageQuery, status: status.optional(), user_id: id.optional() }),
      output: page(order),
      problems: ["forbidden"],
      paged: true,
    }),
    getOrder: operation({
      method: "GET",
      path: "/orders/{id}",
      access: "user",
      summary: "One order; with Prefer: wait=N it answers when the order is no longer pending, or after N seconds",
      input: z.strictObject({
        id,
        wait: z
          .int()
          .min(0)
          .transform((seconds) => Math.min(seconds, MAX_WAIT_SECONDS))
          .optional(),
      }),
      inputHeaders: { wait: { name: "Prefer", preference: "wait" } },
      output: order,
      problems: ["not-found"],
    }),
    cancelOrder: operation({
      method: "POST",
      path: "/orders/{id}/cancel",
      access: "user",
      summary: "Cancel a pending or confirmed order and give its stock back",
      input: z.strictObject({ id }),
      output: order,
      problems: ["not-found", "order-not-cancellable"],
    }),
  },
  events: {
    "order.created": z.object({
      order_id: id,
      user_id: id,
      items: z
        .array(
          z.object({
            product_id: id,
            quantity: z
              .int()
              .min(1)
              .meta({ examples: [2] }),
          }),
        )
        .min(1),
      total_cents: z.int().meta({ examples: [3_998] }),
      currency: z.string().meta({ examples: ["USD"] }),
    }),
    "order.cancelled": z.object({ order_id: id, user_id: id }),
  },
});

/** An order names one product and a quantity, or a list of lines: one of the two forms, whole. */
function exactlyOneForm(
  input: { product_id?: unknown; quantity?: unknown; items?: unknown },
  ctx: z.core.$RefinementCtx,
): void {
  if (input.items === undefined) {
    for (const name of ["product_id", "quantity"] as const) {
      if (input[name] === undefined) ctx.addIssue({ code: "custom", path: [name], message: "is required, or items" });
    }
    return;
  }
  for (const name of ["product_id", "quantity"] as const) {
    if (input[name] !== undefined) ctx.addIssue({ code: "custom", path: [name], message: "cannot be with items" });
  }
}
