import { addProduct, type OrderBody, register } from "../../support/api.ts";
import type { Scenario, Stage } from "../scenario.ts";

/**
 * Orders that compete for stock. They belong to a group in which users answers late: each order has then seen the full
 * stock before any of them is placed, so that all are taken, and only what follows the event decides.
 */
export const competition: readonly Scenario[] = [
  { name: "two orders that together exceed the stock", run: (stage) => compete(stage, "pam", 5, 2, [3]) },
  { name: "40 orders at once for 7 units", run: (stage) => compete(stage, "quin", 7, 40, [1]) },
  {
    name: "12 orders at once, each with two lines for one product",
    run: (stage) => compete(stage, "rose", 7, 12, [1, 1]),
  },
];

/** Equal orders, so that it makes no difference which of them comes first. */
async function compete(stage: Stage, name: string, stock: number, count: number, lines: readonly number[]) {
  const admin = await stage.admin();
  const buyer = await register(stage.quiet, name);
  const product = await addProduct(stage.quiet, admin, stock, `Wanted by ${name}`);
  const body = { items: lines.map((quantity) => ({ product_id: product, quantity })) };
  const request = { method: "POST", path: "/orders", body, token: buyer.token };
  const answers = await Promise.all(Array.from({ length: count }, () => stage.quiet.call(request)));
  await stage.settled();
  // Ids follow the order in which the orders were placed, which is that of the events.
  answers.sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
  for (const answer of answers) stage.record(request, answer);
  for (const answer of answers) await stage.get(`/orders/${idOf(answer)}`, buyer.token);
  const rejected = `/orders?status=rejected&limit=1`;
  const [loser] = ((await stage.get(rejected, buyer.token)).body as { data: OrderBody[] }).data;
  await stage.post(`/orders/${loser?.id}/cancel`, undefined, buyer.token);
  await stage.get(`/products/${product}`);
}

function idOf({ body }: { readonly body: unknown }): string {
  return String((body as OrderBody).id);
}
