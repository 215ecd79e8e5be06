import { type Answer, addProduct, type OrderBody, register } from "../../support/api.ts";
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
  // Where several are written at once, their ids do not tell who was first: the log does.
  const placed = await placedOrders(stage);
  answers.sort((one, other) => placed.indexOf(idOf(one)) - placed.indexOf(idOf(other)));
  for (const answer of answers) stage.record(request, answer);
  const seen: Answer[] = [];
  for (const answer of answers) seen.push(await stage.get(`/orders/${idOf(answer)}`, buyer.token));
  const loser = seen.findLast(({ body }) => (body as OrderBody).status === "rejected");
  await stage.post(`/orders/${loser && idOf(loser)}/cancel`, undefined, buyer.token);
  await stage.get(`/products/${product}`);
}

/** The ids of all orders, in the order of the events that tell of them. */
async function placedOrders({ shop }: Stage): Promise<string[]> {
  const { outbox = [] } = await (await shop.look()).tables("orders");
  return outbox.map(({ event }) => String(JSON.parse(String(event)).subject));
}

function idOf({ body }: { readonly body: unknown }): string {
  return String((body as OrderBody).id);
}
