import type { InPostgres } from "../../store/move/move.ts";
import { sql } from "../../store/sql.ts";
import { tsvector } from "./search-text.ts";

/** What PostgreSQL keeps beside what SQLite does: what a product is found by, and which orders are decided. */
export const inPostgres: InPostgres = {
  columns: { products: { words: ({ name, description }) => tsvector(String(name), String(description)) } },
  fills: [
    sql`INSERT INTO decisions (order_id, times)
      SELECT cause, 1 FROM stock_ledger WHERE reason IN ('reserved', 'released') UNION SELECT order_id, 1 FROM refusals
      ON CONFLICT DO NOTHING`,
  ],
};
