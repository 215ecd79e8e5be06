import { expect } from "chai";
import type { CloudEvent } from "../../../src/contract/event.ts";
import { apply, eventsOf, openShop, type Product, type Shop } from "./shop.ts";

describe("The order saga", () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());

  const orderOf = (id: string) => shop.orders.getOrder({ id }, shop.admin);
  const stockOf = async ({ id }: Product) => (await shop.products.getProduct({ id }, shop.admin)).stock;
  const buy = (product: Product, quantity: number) =>
    shop.orders.placeOrder({ product_id: product.id, quantity }, shop.alice);

  it("confirms what can be had, and rejects the rest with the product that was short", async () => {
    const pen = await shop.addProduct({ stock: 5 });
    const [first, second] = [await buy(pen, 3), await buy(pen, 3)];
    await shop.deliver();
    const [confirmed, rejected] = [await orderOf(first.id), await orderOf(second.id)];
    expect(confirmed).to.deep.equal({ ...first, status: "confirmed", updated_at: confirmed.updated_at });
    const rejection = { reason: "insufficient-stock", product_id: pen.id };
    expect(rejected).to.deep.equal({ ...second, status: "rejected", rejection, updated_at: rejected.updated_at });
    expect(await stockOf(pen)).to.equal(2);
  });

  it("sells the whole stock and not a unit more, whoever comes at once", async () => {
    const pen = await shop.addProduct({ stock: 10 });
    const orders = await Promise.all(Array.from({ length: 100 }, () => buy(pen, 1)));
    await shop.deliver();
    const statuses = (await Promise.all(orders.map(({ id }) => orderOf(id)))).map(({ status }) => status);
    expect(statuses.filter((status) => status === "confirmed")).to.have.length(10);
    expect(statuses.filter((status) => status === "rejected")).to.have.length(90);
    expect(await stockOf(pen)).to.equal(0);
  });

  it("changes nothing on a reply that contradicts a final order, and reports it", async () => {
    const pen = await shop.addProduct({ stock: 1 });
    const [sold, short] = [await buy(pen, 1), await buy(pen, 1)];
    await shop.deliver();
    const before = [await orderOf(sold.id), await orderOf(short.id)];
    const [reserved, rejected] = await eventsOf(shop.stores.products);
    await hear(reserved, short.id);
    await hear(rejected, sold.id);
    await hear({ ...reserved, type: "stock.released" }, sold.id);
    expect([await orderOf(sold.id), await orderOf(short.id)]).to.deep.equal(before);
    expect(shop.warnings.map(({ orderId, reply, msg }) => ({ orderId, reply, msg }))).to.deep.equal(
      [
        { orderId: short.id, reply: "stock.reserved" },
        { orderId: sold.id, reply: "stock.rejected" },
        { orderId: sold.id, reply: "stock.released" },
      ].map((report) => ({ ...report, msg: "reply contradicts a final order: to be reconciled" })),
    );
  });

  it("reports a reply to an order that it does not know", async () => {
    await buy(await shop.addProduct(), 1);
    await shop.deliver();
    const unknownId = "01890000-0000-7000-8000-000000000000";
    await hear((await eventsOf(shop.stores.products))[0], unknownId);
    expect(shop.warnings.map(({ orderId, msg }) => [orderId, msg])).to.deep.equal([
      [unknownId, "reply to an unknown order: to be reconciled"],
    ]);
  });

  it("takes a reply that comes again as said already", async () => {
    const { id } = await buy(await shop.addProduct(), 1);
    await shop.deliver();
    const before = await orderOf(id);
    await hear((await eventsOf(shop.stores.products))[0], id);
    expect([await orderOf(id), shop.warnings]).to.deep.equal([before, []]);
  });

  function hear(event: Partial<CloudEvent> | undefined, orderId: string): Promise<void> {
    const told = { ...event, subject: orderId, data: { ...(event?.data as object), order_id: orderId } };
    return apply(shop.modules.orders, shop.stores.orders, told as CloudEvent);
  }
});
