import type { Store } from "../../store/store.ts";
import { addUp, type Order, type Units } from "./order.ts";

/** An order, as far as others know of it. */
export interface BookedOrder {
  readonly id: string;
  readonly userId: string;
  readonly status: Order["status"];
  readonly units: Units;
}

/** Reads all orders from a database, oldest first, which may be a copy or another process's. */
export function* readOrderBook(database: Pick<Store, "prepare">): Generator<BookedOrder> {
  type Row = Omit<BookedOrder, "units"> & { readonly items: string };
  const rows = database.prepare<[], Row>("SELECT id, user_id AS userId, status, items FROM orders ORDER BY id");
  for (const { items, ...order } of rows.iterate()) yield { ...order, units: addUp(JSON.parse(items)) };
}
