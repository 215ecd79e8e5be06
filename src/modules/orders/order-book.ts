import { sql } from "../../store/sql.ts";
import type { Store } from "../../store/store.ts";
import { addUp, type Order, type Units } from "./order.ts";

/** An order, as far as others know of it. */
export interface BookedOrder {
  readonly id: string;
  readonly userId: string;
  readonly status: Order["status"];
  readonly units: Units;
}

type Row = Omit<BookedOrder, "units"> & { readonly items: string };

/** Orders read at a time. */
const PAGE = 1_000;

/** Reads all orders from a database, oldest first, which may be a copy or another process's. */
export async function* readOrderBook(database: Pick<Store, "read">): AsyncGenerator<BookedOrder> {
  for (let after = ""; ; ) {
    const rows = await database.read((reading) =>
      reading.all(
        sql<Row>`SELECT id, user_id AS "userId", status, items FROM orders WHERE id > ${after} ORDER BY id LIMIT ${PAGE}`,
      ),
    );
    for (const { items, ...order } of rows) yield { ...order, units: addUp(JSON.parse(items)) };
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.id;
  }
}
