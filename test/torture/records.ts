import type { OrderBody } from "../support/api.ts";

/** Runs a statement on a database that has the schemas of all modules. */
export type AskRows = <Row extends object>(text: string) => Promise<Row[]>;

/** Who applies and relays, how many events wait for that, and how many orders are pending. */
const STANDING = `SELECT (SELECT count(*) FROM orders.orders WHERE status = 'pending') AS pending,
  (SELECT count(*) FROM orders.outbox_arrivals) + (SELECT count(*) FROM products.outbox_arrivals) AS unnumbered,
  (SELECT seq FROM orders.outbox_head) - (SELECT seq FROM products.cursors ORDER BY id DESC LIMIT 1) AS orders_unheard,
  (SELECT seq FROM products.outbox_head) - (SELECT seq FROM orders.cursors ORDER BY id DESC LIMIT 1) AS products_unheard,
  (SELECT string_agg(role || ' ' || left(owner, 4) || ' ' || round(extract(epoch FROM until - now()), 1), ', ') FROM products.leases) AS products_leases,
  (SELECT string_agg(role || ' ' || left(owner, 4) || ' ' || round(extract(epoch FROM until - now()), 1), ', ') FROM orders.leases) AS orders_leases`;

/** How far the events have come, in words. */
export async function describeStanding(ask: AskRows): Promise<string> {
  const [found = {}] = await ask<Record<string, unknown>>(STANDING);
  return Object.entries(found)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

/** Each finds rows that must not be; `what` says what is wrong with them. */
const FINDINGS: readonly { readonly what: string; readonly query: string }[] = [
  ...["orders", "products"].flatMap((module) => [
    {
      what: `numbers of ${module}' log that are missing, or do not link to the one before`,
      query: `SELECT seq FROM (SELECT seq, previous_epoch, lag(seq) OVER log AS seq_before, lag(epoch) OVER log AS epoch_before
        FROM ${module}.outbox WINDOW log AS (ORDER BY seq)) AS rows
        WHERE seq <> coalesce(seq_before, 0) + 1 OR previous_epoch <> coalesce(epoch_before, previous_epoch)`,
    },
    {
      what: `events of ${module} that were told twice`,
      query: `SELECT event::json->>'subject' FROM ${module}.outbox GROUP BY event::json->>'subject', event::json->>'type' HAVING count(*) > 1`,
    },
    { what: `dead letters of ${module}`, query: `SELECT id FROM ${module}.dead_letters` },
    { what: `events of ${module} without a number`, query: `SELECT id FROM ${module}.outbox_arrivals` },
  ]),
  {
    what: "orders of which products has heard something twice, or not at all",
    query: `SELECT subject FROM (SELECT event::json->>'subject' AS subject, count(*) AS events FROM orders.outbox GROUP BY 1) AS told
      LEFT JOIN products.decisions ON order_id = subject WHERE times IS DISTINCT FROM events`,
  },
  {
    what: "orders that were reserved and rejected",
    query: `SELECT event::json->>'subject' FROM products.outbox WHERE event::json->>'type' IN ('stock.reserved', 'stock.rejected')
      GROUP BY 1 HAVING count(*) > 1`,
  },
  {
    // One consumer at a time applies them in the order of the log, so that its replies have the same.
    what: "replies of products that are not in the order of what they reply to",
    query: `WITH replies AS (SELECT seq, event::json->>'subject' AS subject FROM products.outbox
        WHERE event::json->>'type' IN ('stock.reserved', 'stock.rejected')),
      created AS (SELECT seq, event::json->>'subject' AS subject FROM orders.outbox WHERE event::json->>'type' = 'order.created')
      SELECT subject FROM (SELECT subject, created.seq, lag(created.seq) OVER (ORDER BY replies.seq) AS before
        FROM replies JOIN created USING (subject)) AS pairs WHERE seq < before`,
  },
  {
    what: "users of whom there are two",
    query: "SELECT email FROM users.users GROUP BY email HAVING count(*) > 1",
  },
];

/**
 * Looks for what the API does not show: events told twice, applied twice or in another order than that of the log, which one consumer at a
 * time keeps, and numbers that are missing.
 * @returns a line for each kind of thing that is wrong
 */
export async function judgeRecords(ask: AskRows): Promise<string[]> {
  const found: string[] = [];
  for (const { what, query } of FINDINGS) {
    const rows = await ask(query);
    if (rows.length > 0) found.push(`${what}: ${rows.length}, such as ${JSON.stringify(rows[0])}`);
  }
  return found;
}

/** What whoever asked for an order was told, each time. */
export async function describeAskings(
  ask: AskRows,
  askings: ReadonlyMap<string, readonly string[]> = new Map(),
  orderId: string,
): Promise<string> {
  const [kept] = await ask<{ key: string; at: string }>(
    `SELECT key, to_timestamp(kept_at_ms / 1000.0)::text AS at FROM orders.answers WHERE answer LIKE '%"${orderId}"%'`,
  );
  if (kept === undefined) return `There is no kept answer of ${orderId}.`;
  const told = Array.from(askings).find(([key]) => kept.key.endsWith(key))?.[1] ?? [];
  return [`The answer of ${orderId} to ${kept.key} was kept at ${kept.at}; who asked was told:`, ...told].join("\n  ");
}

/** Holds what clients were told of cancellations against what is there. @returns a line for each that is wrong */
export function judgeCancellations(orders: readonly OrderBody[], cancelled: ReadonlySet<string>): string[] {
  const isWrong = ({ id, status }: OrderBody) => (status === "cancelled") !== cancelled.has(id);
  return orders.filter(isWrong).map(({ id, status }) => `order ${id} is ${status}, cancelled: ${cancelled.has(id)}`);
}
