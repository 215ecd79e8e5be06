import { expect } from "chai";
import fc from "fast-check";
import type { CloudEvent } from "../../../src/contract/event.ts";
import { orders } from "../../../src/modules/orders/contract.ts";
import type { Store } from "../../../src/store/store.ts";
import { apply, type Order, openShop, type Product, type Shop } from "./shop.ts";

/** What can happen: a name and a few numbers, each read as a choice among what there is. */
type Step =
  | readonly ["place", lines: readonly (readonly [product: number, quantity: number])[]]
  | readonly ["cancel", order: number]
  | readonly ["restock", product: number, quantity: number]
  | readonly ["deliver", toProducts: number, toOrders: number]
  | readonly ["hear again", event: number];

const quantity = fc.integer({ min: 1, max: 5 });
const lines = fc.array(fc.tuple(fc.nat(2), quantity), { minLength: 1, maxLength: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant("place"), lines) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("cancel"), fc.nat(20)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("restock"), fc.nat(2), quantity) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("deliver"), fc.nat(4), fc.nat(4)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("hear again"), fc.nat(10)) },
);

describe("Units of stock", () => {
  let shop: Shop;
  before(async () => {
    shop = await openShop();
  });
  after(() => shop.close());

  it("are all accounted for, whatever happens in whatever order", async () => {
    const stocks = fc.tuple(fc.nat(12), fc.nat(12), fc.nat(12));
    const programs = fc.array(step, { maxLength: 30 });
    await fc.assert(fc.asyncProperty(stocks, programs, keepsUnits), { numRuns: 60 });
  });

  async function keepsUnits(stocks: readonly number[], steps: readonly Step[]): Promise<void> {
    const shelf = await Promise.all(stocks.map((stock) => shop.addProduct({ stock })));
    const supplied = new Map(shelf.map(({ id, stock }) => [id, stock]));
    const placed: Order[] = [];
    const actions = actionsOn(shelf, supplied, placed);
    for (const [name, ...choice] of steps) {
      await (actions[name] as (...choice: unknown[]) => Promise<unknown>)(...choice);
      for (const { id } of shelf)
        expect(await stockOf(id))
          .to.equal(ledgerSum(id))
          .and.to.be.at.least(0);
    }
    // Once to decide what was placed, once more for what that caused.
    await shop.deliver();
    await shop.deliver();
    const orders = await Promise.all(placed.map(({ id }) => shop.orders.getOrder({ id }, shop.admin)));
    expect(orders.map(({ status }) => status)).not.to.include("pending");
    for (const { id } of shelf) expect((await stockOf(id)) + heldUnits(orders, id)).to.equal(supplied.get(id));
    expect(shop.warnings).to.deep.equal([]);
  }

  function actionsOn(shelf: readonly Product[], supplied: Map<string, number>, placed: Order[]) {
    const productId = (n: number) => shelf[n]?.id ?? "";
    return {
      async place(lines: readonly (readonly [number, number])[]) {
        const items = lines.map(([n, quantity]) => ({ product_id: productId(n), quantity }));
        const order = await unless("insufficient-stock", shop.orders.placeOrder({ items }, shop.alice));
        if (order !== undefined) placed.push(order);
      },
      async cancel(n: number) {
        const order = placed.at(-1 - n);
        if (order) await unless("order-not-cancellable", shop.orders.cancelOrder({ id: order.id }, shop.alice));
      },
      async restock(n: number, quantity: number) {
        const { id } = await shop.products.restockProduct({ id: productId(n), quantity }, shop.admin);
        supplied.set(id, (supplied.get(id) ?? 0) + quantity);
      },
      deliver: (toProducts: number, toOrders: number) => shop.deliver({ orders: toProducts, products: toOrders }),
      /** One of the latest events of each log once more; it may even come before its turn, as from a dead letter. */
      async "hear again"(n: number) {
        const [fromOrders, fromProducts] = [await latest(shop.stores.orders, n), await latest(shop.stores.products, n)];
        if (fromOrders) await apply(shop.modules.products, shop.stores.products, fromOrders);
        if (fromProducts) await apply(shop.modules.orders, shop.stores.orders, fromProducts);
      },
    } satisfies Record<Step[0], unknown>;
  }

  async function stockOf(id: string): Promise<number> {
    return (await shop.products.getProduct({ id }, shop.admin)).stock;
  }

  function ledgerSum(id: string): number | undefined {
    const sql = "SELECT coalesce(sum(delta), 0) AS sum FROM stock_ledger WHERE product_id = ?";
    return shop.stores.products.prepare<[string], { sum: number }>(sql).get(id)?.sum;
  }
});

/** The event `n` rows before the newest, if the log has so many. */
async function latest({ log }: Store, n: number): Promise<CloudEvent | undefined> {
  const entry = await log.entry(((await log.head())?.seq ?? 0) - n);
  return entry && JSON.parse(entry.event);
}

/** The units that confirmed orders hold of a product. */
function heldUnits(orders: readonly Order[], productId: string): number {
  const lines = orders.filter(({ status }) => status === "confirmed").flatMap(({ items }) => items);
  return lines.filter(({ product_id }) => product_id === productId).reduce((sum, { quantity }) => sum + quantity, 0);
}

async function unless<T>(code: Parameters<typeof orders.problem>[0], call: Promise<T>): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    if (orders.isProblem(error, code)) return undefined;
    throw error;
  });
}
