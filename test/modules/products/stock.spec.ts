import { expect } from "chai";
import { v7 as newId } from "uuid";
import { type CloudEvent, draftEvent } from "../../../src/contract/event.ts";
import { orders } from "../../../src/modules/orders/contract.ts";
import { readStockBook } from "../../../src/modules/products/index.ts";
import { apply, codeOf, eventsOf, openShop, type Product, type Shop } from "../orders/shop.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("The stock, as orders come and go", () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());

  const hear = (event: CloudEvent) => apply(shop.modules.products, shop.stores.products, event);
  const stockOf = async ({ id }: Product) => (await shop.products.getProduct({ id }, shop.admin)).stock;
  const replies = async () => (await eventsOf(shop.stores.products)).map(({ type, data }) => ({ type, ...data }));
  const ledgerOf = (orderId: string) =>
    shop.stores.products
      .prepare<[string]>("SELECT product_id, delta, reason FROM stock_ledger WHERE cause = ?")
      .all(orderId);

  it("takes all lines of a new order, two for one product added up, and says so", async () => {
    const [pen, mug] = [await shop.addProduct(), await shop.addProduct({ name: "Mug" })];
    const id = newId();
    await hear(created(id, [pen, 3], [mug, 1], [pen, 4]));
    expect([await stockOf(pen), await stockOf(mug)]).to.deep.equal([3, 9]);
    expect(await replies()).to.deep.equal([{ type: "stock.reserved", order_id: id }]);
    expect(ledgerOf(id)).to.deep.equal([
      { product_id: pen.id, delta: -7, reason: "reserved" },
      { product_id: mug.id, delta: -1, reason: "reserved" },
    ]);
  });

  it("answers within the trace of what it answers", async () => {
    await hear(created(newId(), [await shop.addProduct(), 1]));
    expect((await eventsOf(shop.stores.products))[0]).to.include({ traceparent, source: "/products" });
  });

  it("takes the last unit, and not one more", async () => {
    const pen = await shop.addProduct({ stock: 2 });
    await hear(created(newId(), [pen, 2]));
    expect(await stockOf(pen)).to.equal(0);
    const late = newId();
    await hear(created(late, [pen, 1]));
    expect(await stockOf(pen)).to.equal(0);
    expect((await replies()).at(-1)).to.deep.equal({
      type: "stock.rejected",
      order_id: late,
      reason: "insufficient-stock",
      product_id: pen.id,
    });
  });

  it("takes nothing at all when one line is short, also when only two lines together are", async () => {
    const [pen, mug] = [await shop.addProduct(), await shop.addProduct({ name: "Mug", stock: 5 })];
    for (const id of [newId(), newId()]) {
      await hear(created(id, [pen, 3], [mug, 3], [mug, 3]));
      expect([await stockOf(pen), await stockOf(mug)]).to.deep.equal([10, 5]);
      expect((await replies()).at(-1)).to.include({ type: "stock.rejected", order_id: id, product_id: mug.id });
      expect(ledgerOf(id)).to.deep.equal([]);
    }
  });

  it("rejects an order for a product that is not there, or no longer for sale", async () => {
    const [pen, gone] = [await shop.addProduct(), await shop.addProduct()];
    await shop.products.updateProduct({ id: gone.id, active: false }, shop.admin);
    for (const product of [gone, { ...gone, id: newId() }]) {
      await hear(created(newId(), [pen, 1], [product, 1]));
      expect((await replies()).at(-1)).to.include({
        type: "stock.rejected",
        reason: "product-not-found",
        product_id: product.id,
      });
    }
    expect(await stockOf(pen)).to.equal(10);
  });

  it("gives back exactly once what a cancelled order took", async () => {
    const [pen, mug] = [await shop.addProduct(), await shop.addProduct({ name: "Mug" })];
    const id = newId();
    await hear(created(id, [pen, 3], [mug, 1], [pen, 1]));
    for (let times = 0; times < 3; times += 1) await hear(cancelled(id));
    expect([await stockOf(pen), await stockOf(mug)]).to.deep.equal([10, 10]);
    expect(await replies()).to.deep.equal([
      { type: "stock.reserved", order_id: id },
      { type: "stock.released", order_id: id },
    ]);
  });

  it("gives back to a product that is no longer for sale", async () => {
    const pen = await shop.addProduct();
    const id = newId();
    await hear(created(id, [pen, 5]));
    await shop.products.updateProduct({ id: pen.id, active: false }, shop.admin);
    await hear(cancelled(id));
    expect(await stockOf(pen)).to.equal(10);
  });

  it("always has room for what a cancelled order gives back; by hand it never passes its bound, only comes nearer", async () => {
    const pen = await shop.addProduct({ stock: 1_000_000_000 });
    const id = newId();
    await hear(created(id, [pen, 5]));
    await shop.products.restockProduct({ id: pen.id, quantity: 5 }, shop.admin);
    await hear(cancelled(id));
    expect(await stockOf(pen)).to.equal(1_000_000_005);
    const more = shop.products.restockProduct({ id: pen.id, quantity: 1 }, shop.admin);
    expect(await codeOf(more)).to.equal("validation-failed");
    const correct = (delta: number) =>
      shop.products.correctProduct({ id: pen.id, delta, reason: "counted" }, shop.admin);
    expect(await codeOf(correct(1))).to.equal("validation-failed");
    expect((await correct(-1)).stock).to.equal(1_000_000_004);
    expect((await readStockBook(shop.stores.products)).products).to.deep.include({
      id: pen.id,
      stock: 1_000_000_004,
      ledgerSum: 1_000_000_004,
    });
  });

  it("gives nothing back for an order that got nothing", async () => {
    const pen = await shop.addProduct({ stock: 1 });
    const id = newId();
    await hear(created(id, [pen, 2]));
    await hear(cancelled(id));
    expect(await stockOf(pen)).to.equal(1);
    expect((await replies()).map(({ type }) => type)).to.deep.equal(["stock.rejected"]);
  });

  it("takes nothing for an order whose cancellation came first", async () => {
    const pen = await shop.addProduct();
    const id = newId();
    await hear(cancelled(id));
    await hear(created(id, [pen, 3]));
    await hear(cancelled(id));
    expect(await stockOf(pen)).to.equal(10);
    expect(await replies()).to.deep.equal([]);
  });

  it("takes for an order once, however often it hears of it, also after its release", async () => {
    const pen = await shop.addProduct();
    const id = newId();
    for (let times = 0; times < 3; times += 1) await hear(created(id, [pen, 3]));
    expect(await stockOf(pen)).to.equal(7);
    await hear(cancelled(id));
    await hear(created(id, [pen, 3]));
    expect(await stockOf(pen)).to.equal(10);
    expect((await replies()).map(({ type }) => type)).to.deep.equal(["stock.reserved", "stock.released"]);
  });

  it("cannot apply an order of less than one unit, or of none, and changes nothing", async () => {
    const pen = await shop.addProduct();
    for (const items of [[{ product_id: pen.id, quantity: -1 }], []]) {
      const event = created(newId(), [pen, 1]);
      const broken = { ...event, data: { ...(event.data as object), items } };
      const failure = await hear(broken).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(Error);
    }
    expect([await stockOf(pen), await replies()]).to.deep.equal([10, []]);
  });

  it("is refused below zero, and a second taking for one order, by the database itself", async () => {
    const pen = await shop.addProduct({ stock: 1 });
    const id = newId();
    await hear(created(id, [pen, 1]));
    const { products } = shop.stores;
    const below = products.prepare<[string]>("UPDATE products SET stock = stock - 1 WHERE id = ?");
    const again = products.prepare<[string, string]>(
      `INSERT INTO stock_ledger (cause, reason, product_id, delta, at) VALUES (?, 'reserved', ?, -1, '')`,
    );
    expect(() => below.run(pen.id)).to.throw("CHECK constraint failed");
    expect(() => again.run(id, pen.id)).to.throw("UNIQUE constraint failed");
  });
});

function created(orderId: string, ...lines: [product: Product, quantity: number][]): CloudEvent {
  const items = lines.map(([{ id }, quantity]) => ({ product_id: id, quantity }));
  const data = { order_id: orderId, user_id: newId(), items, total_cents: 1, currency: "USD" };
  return envelope(draftEvent(orders, "order.created", orderId, data));
}

function cancelled(orderId: string): CloudEvent {
  return envelope(draftEvent(orders, "order.cancelled", orderId, { order_id: orderId, user_id: newId() }));
}

function envelope(draft: { type: string; subject: string; data: unknown }): CloudEvent {
  const time = new Date().toISOString();
  return {
    specversion: "1.0",
    id: newId(),
    source: "/orders",
    time,
    datacontenttype: "application/json",
    traceparent,
    ...draft,
  };
}
