import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import Database from "better-sqlite3";

/** What is in the databases of a shop, read beside the processes that serve it, which notice nothing. */
export interface Books {
  /** How many orders are confirmed. */
  readonly confirmed: number;
  readonly orders: number;
  /** How many times an order took from the stock, and how many units all together. */
  readonly taken: number;
  readonly units: number;
  /** What is left of all products. */
  readonly stock: number;
}

const SETTLES_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 20;

/** @param folder holds the databases; a program that the shop is compared with has the same tables */
export function readBooks(folder: string): Books {
  return {
    ...lookInto<Pick<Books, "orders" | "confirmed">>(
      join(folder, "orders.db"),
      "SELECT count(*) AS orders, count(*) FILTER (WHERE status = 'confirmed') AS confirmed FROM orders",
    ),
    ...lookInto<Pick<Books, "taken" | "units" | "stock">>(
      join(folder, "products.db"),
      `SELECT count(*) AS taken, -coalesce(sum(delta), 0) AS units, (SELECT sum(stock) FROM products) AS stock
        FROM stock_ledger WHERE reason = 'reserved'`,
    ),
  };
}

/**
 * Waits until every order is confirmed and its units are taken and written down.
 * @throws Error when that is not so within the time, or there is more than there should be
 */
export async function untilBooksAre(
  books: () => Books | Promise<Books>,
  expected: Books,
  withinMs = SETTLES_WITHIN_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await books();
    if (isDeepStrictEqual(found, expected)) return;
    if (found.confirmed > expected.confirmed || performance.now() > deadline) {
      throw new Error(`the books say ${JSON.stringify(found)}, and should say ${JSON.stringify(expected)}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

function lookInto<Row>(file: string, query: string): Row {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare<[], Row>(query).get() as Row;
  } finally {
    database.close();
  }
}
