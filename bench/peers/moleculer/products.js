import moleculer from "moleculer";
import { v7 as uuid } from "uuid";
import { openDatabase } from "../../database.ts";

const COLUMNS = "id, name, description, price_cents, currency, stock, active, created_at, updated_at";

export function createProducts(folder) {
  const database = openDatabase("products", folder);
  const insert = database.prepare(`INSERT INTO products (${COLUMNS}) VALUES (?, ?, '', ?, 'USD', ?, 1, ?, ?)`);
  const find = database.prepare(`SELECT ${COLUMNS} FROM products WHERE id = ?`);
  const take = database.prepare("UPDATE products SET stock = stock - ?, updated_at = ? WHERE id = ? AND stock >= ?");
  const record = database.prepare(
    "INSERT INTO stock_ledger (cause, reason, product_id, delta, at) VALUES (?, 'reserved', ?, ?, ?)",
  );
  const refuse = database.prepare("INSERT INTO refusals (order_id, state) VALUES (?, 'rejected')");
  const reserve = database.transaction(({ order_id, product_id, quantity }) => {
    const now = new Date().toISOString();
    const isTaken = take.run(quantity, now, product_id, quantity).changes === 1;
    if (isTaken) record.run(order_id, product_id, -quantity, now);
    else refuse.run(order_id);
    return isTaken;
  });
  return {
    name: "products",
    actions: {
      add: {
        params: { name: "string", price_cents: "number|integer|min:0", stock: "number|integer|min:0" },
        handler(ctx) {
          const { name, price_cents, stock } = ctx.params;
          const id = uuid();
          const now = new Date().toISOString();
          insert.run(id, name, price_cents, stock, now, now);
          ctx.meta.$statusCode = 201;
          ctx.meta.$location = `/products/${id}`;
          return find.get(id);
        },
      },
      get: {
        params: { id: "uuid" },
        handler(ctx) {
          const product = find.get(ctx.params.id);
          if (product === undefined) throw new moleculer.Errors.MoleculerClientError("There is no such product.", 404);
          return product;
        },
      },
    },
    events: {
      async "order.created"(ctx) {
        const { order_id, product_id } = ctx.params;
        if (reserve.immediate(ctx.params)) await ctx.emit("stock.reserved", { order_id });
        else await ctx.emit("stock.rejected", { order_id, reason: "insufficient-stock", product_id });
      },
    },
  };
}
