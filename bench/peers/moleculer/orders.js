import moleculer from "moleculer";
import { v7 as uuid } from "uuid";
import { openDatabase } from "../../database.ts";

const { MoleculerClientError } = moleculer.Errors;

const COLUMNS = "id, user_id, status, items, total_cents, currency, created_at, updated_at";

export function createOrders(folder) {
  const database = openDatabase("orders", folder);
  const insert = database.prepare(`INSERT INTO orders (${COLUMNS}) VALUES (?, ?, 'pending', ?, ?, ?, ?, ?)`);
  const settle = database.prepare("UPDATE orders SET status = ?, rejection = ?, updated_at = ? WHERE id = ?");
  const find = database.prepare("SELECT * FROM orders WHERE id = ?");
  /** Who waits for an order to be decided, by its id. */
  const waiting = new Map();

  function decide(id, status, rejection) {
    settle.run(status, rejection, new Date().toISOString(), id);
    waiting.get(id)?.resolve();
    waiting.delete(id);
  }

  return {
    name: "orders",
    actions: {
      place: {
        params: { product_id: "uuid", quantity: "number|integer|min:1|max:1000" },
        async handler(ctx) {
          const { product_id, quantity } = ctx.params;
          if (!ctx.meta.user) throw new MoleculerClientError("There is no token.", 401);
          const [user, product] = await Promise.all([
            ctx.call("users.get", { id: ctx.meta.user.id }),
            ctx.call("products.get", { id: product_id }),
          ]);
          if (product.stock < quantity) throw new MoleculerClientError("There is not enough of it.", 409);
          const id = uuid();
          const now = new Date().toISOString();
          const { name, price_cents: unit_price_cents, currency } = product;
          const total_cents = unit_price_cents * quantity;
          const items = [{ product_id, name, quantity, unit_price_cents, line_total_cents: total_cents }];
          insert.run(id, user.id, JSON.stringify(items), total_cents, currency, now, now);
          const created = { order_id: id, user_id: user.id, product_id, quantity, total_cents, currency };
          // Those who hear it in this process do so within emit: the answer is not to wait for their commits.
          setImmediate(() => ctx.emit("order.created", created));
          ctx.meta.$statusCode = 201;
          ctx.meta.$location = `/orders/${id}`;
          const order = { id, user_id: user.id, status: "pending", items, total_cents, currency, rejection: null };
          return { ...order, created_at: now, updated_at: now };
        },
      },
      get: {
        params: { id: "uuid" },
        async handler(ctx) {
          const { id } = ctx.params;
          if (ctx.meta.wait && find.get(id)?.status === "pending") {
            waiting.set(id, Promise.withResolvers());
            await waiting.get(id).promise;
          }
          const row = find.get(id);
          if (row === undefined) throw new MoleculerClientError("There is no such order.", 404);
          return { ...row, items: JSON.parse(row.items), rejection: row.rejection && JSON.parse(row.rejection) };
        },
      },
    },
    events: {
      "stock.reserved"(ctx) {
        decide(ctx.params.order_id, "confirmed", null);
      },
      "stock.rejected"(ctx) {
        const { order_id, ...rejection } = ctx.params;
        decide(order_id, "rejected", JSON.stringify(rejection));
      },
    },
  };
}
