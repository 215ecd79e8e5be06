import { z } from "zod";
import { defineContract, operation } from "../../contract/contract.ts";
import { id, idempotencyKey, page, pageQuery, timestamp } from "../../contract/schemas.ts";

const quantity = z.int().min(1).max(1_000);
const line = z.strictObject({ product_id: id, quantity });
const status = z.enum(["pending", "confirmed", "rejected", "cancelled"]);
const rejection = z.object({ reason: z.enum(["insufficient-stock", "product-not-found"]), product_id: id });

/** The longest wait that `Prefer: wait=N` may ask for, in seconds; more is taken as this. */
const MAX_WAIT_SECONDS = 30;

export const order = z
  .object({
    id,
    user_id: id,
    status,
    items: z.array(
      z.object({
        product_id: id,
        name: z.string(),
        quantity: z.int(),
        unit_price_cents: z.int(),
        line_total_cents: z.int(),
      }),
    ),
    total_cents: z.int(),
    currency: z.string(),
    rejection: rejection.nullable(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Order" });

export const orders = defineContract({
  name: "orders",
  errors: {
    "insufficient-stock": "conflict",
    "order-not-cancellable": "conflict",
    "product-not-found": "unprocessable",
    "user-not-found": "unprocessable",
    "mixed-currencies": "unprocessable",
  },
  operations: {
    placeOrder: operation({
      method: "POST",
      path: "/orders",
      aliases: ["/orders/create"],
      access: "user",
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
        .meta({ oneOf: [{ required: ["product_id", "quantity"] }, { required: ["items"] }] }),
      inputHeaders: { idempotencyKey: { name: "Idempotency-Key" } },
      output: order.extend({ replayed: z.literal(true).optional() }),
      outputHeaders: { replayed: "Idempotency-Replayed" },
      status: 201,
      errors: [
        "forbidden",
        "insufficient-stock",
        "product-not-found",
        "user-not-found",
        "mixed-currencies",
        "idempotency-key-reused",
        "request-in-progress",
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
      errors: ["forbidden"],
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
      errors: ["not-found"],
      extraTimeMs: ({ wait }) => (typeof wait === "number" ? Math.min(wait, MAX_WAIT_SECONDS) * 1_000 : 0),
    }),
    cancelOrder: operation({
      method: "POST",
      path: "/orders/{id}/cancel",
      access: "user",
      summary: "Cancel a pending or confirmed order and give its stock back",
      input: z.strictObject({ id }),
      output: order,
      errors: ["not-found", "order-not-cancellable"],
    }),
  },
  events: {
    "order.created": z.object({
      order_id: id,
      user_id: id,
      items: z.array(z.object({ product_id: id, quantity: z.int().min(1) })).min(1),
      total_cents: z.int(),
      currency: z.string(),
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
