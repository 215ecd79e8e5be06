import { expect } from "chai";
import { allOrders, type Calls, type OrderBody, type Session, stockOf } from "./api.ts";

/** Stocks at the beginning, by product. */
export type Opening = ReadonlyMap<string, number>;

/**
 * Checks that nothing was lost and nothing done twice: no order is pending, and for every product the stock and the
 * units of confirmed orders add up to what there was. Resolves all orders.
 */
export async function assertBalanced(api: Calls, admin: Session, opening: Opening): Promise<OrderBody[]> {
  const orders = await allOrders(api, admin);
  expect(orders.filter(({ status }) => status === "pending").map(({ id }) => id)).to.deep.equal([]);
  for (const [product, initial] of opening) {
    const stock = await stockOf(api, product);
    expect(stock).to.be.at.least(0);
    expect(stock + confirmedUnits(orders, product)).to.equal(initial);
  }
  return orders;
}

/** How many units of a product have been sold. */
export function confirmedUnits(orders: readonly OrderBody[], product: string): number {
  return orders
    .filter(({ status }) => status === "confirmed")
    .flatMap(({ items }) => items)
    .filter(({ product_id }) => product_id === product)
    .reduce((sum, { quantity }) => sum + quantity, 0);
}
