import { expect } from "chai";
import { listOrders } from "../../../src/modules/orders/store.ts";
import { sql } from "../../../src/store/sql.ts";
import { codeOf, contextOf, eventsOf, type Order, openShop, type Product, problemOf, type Shop } from "./shop.ts";

const unknownId = "01890000-0000-7000-8000-000000000000";

describe("Reading and cancelling orders through their contract", () => {
  let shop: Shop;
  let pen: Product;
  beforeEach(async () => {
    shop = await openShop();
    pen = await shop.addProduct({ stock: 10 });
  });
  afterEach(() => shop.close());

  const place = (ctx = shop.alice, quantity = 1) => shop.orders.placeOrder({ product_id: pen.id, quantity }, ctx);
  const idsOf = (orders: readonly Order[]) => orders.map(({ id }) => id);
  const stock = async () => (await shop.products.getProduct({ id: pen.id }, shop.alice)).stock;

  describe("getOrder", () => {
    it("shows an order to its owner and to admins; to others it is not there", async () => {
      const order = await place();
      for (const ctx of [shop.alice, shop.admin]) {
        expect(await shop.orders.getOrder({ id: order.id }, ctx)).to.deep.equal(order);
      }
      const missing = await problemOf(shop.orders.getOrder({ id: unknownId }, shop.bob));
      const hidden = await problemOf(shop.orders.getOrder({ id: order.id, wait: 30 }, shop.bob));
      expect([hidden.code, hidden.message]).to.deep.equal([missing.code, missing.message]);
      expect(hidden.code).to.equal("not-found");
      expect(await codeOf(shop.orders.getOrder({ id: order.id }, contextOf(null)))).to.equal("unauthenticated");
    });

    it("waits until the order is decided", async () => {
      const { id } = await place();
      const waiting = shop.orders.getOrder({ id, wait: 30 }, shop.alice);
      await shop.deliver();
      expect((await waiting).status).to.equal("confirmed");
    });

    it("waits until the order is cancelled", async () => {
      const { id } = await place();
      const waiting = shop.orders.getOrder({ id, wait: 30 }, shop.admin);
      const cancelled = await shop.orders.cancelOrder({ id }, shop.alice);
      expect(await waiting).to.deep.equal(cancelled);
    });

    it("waits on when the commit that would have decided it failed", async () => {
      const { id } = await place();
      const waiting = shop.orders.getOrder({ id, wait: 30 }, shop.alice);
      const [created] = await eventsOf(shop.stores.orders);
      await shop.deliver({ products: 0 });
      const [reserved] = await eventsOf(shop.stores.products);
      if (created === undefined || reserved === undefined) throw new Error("there are two events");
      const failing = shop.stores.orders.write((unit) => {
        for (const { apply } of shop.modules.orders.subscriptions) apply(unit, reserved);
        throw new Error("undone");
      });
      expect(await failing.catch(({ message }) => message)).to.equal("undone");
      expect((await shop.orders.getOrder({ id }, shop.alice)).status).to.equal("pending");
      await shop.deliver();
      expect((await waiting).status).to.equal("confirmed");
    });

    it("answers the order as it is when the time is over", async () => {
      const { id } = await place();
      expect((await shop.orders.getOrder({ id, wait: 1 }, shop.alice)).status).to.equal("pending");
    });

    it("answers the order as it is when the module drains", async () => {
      const { id } = await place();
      const waiting = shop.orders.getOrder({ id, wait: 30 }, shop.alice);
      shop.modules.orders.drain?.();
      expect((await waiting).status).to.equal("pending");
      expect((await shop.orders.getOrder({ id, wait: 30 }, shop.alice)).status).to.equal("pending");
    });

    it("does not wait for an order that is decided", async () => {
      const { id } = await place();
      await shop.deliver();
      expect((await shop.orders.getOrder({ id, wait: 30 }, shop.alice)).status).to.equal("confirmed");
    });
  });

  describe("listOrders", () => {
    it("shows customers their own and admins all, newest first", async () => {
      const placed = [await place(), await place(shop.bob), await place()].reverse();
      expect((await shop.orders.listOrders({}, shop.admin)).data).to.deep.equal(placed);
      expect((await shop.orders.listOrders({}, shop.alice)).data).to.deep.equal([placed[0], placed[2]]);
      expect((await shop.orders.listOrders({}, shop.bob)).data).to.deep.equal([placed[1]]);
    });

    it("lets an admin ask for one user, and a customer only for oneself", async () => {
      const order = await place();
      await place(shop.bob);
      const user_id = shop.alice.principal?.id;
      for (const ctx of [shop.admin, shop.alice]) {
        expect((await shop.orders.listOrders({ user_id }, ctx)).data).to.deep.equal([order]);
      }
      expect(await codeOf(shop.orders.listOrders({ user_id }, shop.bob))).to.equal("forbidden");
      expect((await shop.orders.listOrders({ user_id: unknownId }, shop.admin)).data).to.deep.equal([]);
    });

    it("filters by status, alone and with a user", async () => {
      const orders = await oneOfEach();
      for (const { id, status } of orders) {
        expect(idsOf((await shop.orders.listOrders({ status }, shop.admin)).data)).to.deep.equal([id]);
        expect(idsOf((await shop.orders.listOrders({ status }, shop.alice)).data)).to.deep.equal([id]);
        expect((await shop.orders.listOrders({ status }, shop.bob)).data).to.deep.equal([]);
      }
      expect(new Set(orders.map(({ status }) => status))).to.have.length(4);
    });

    for (const filter of [
      {},
      { status: "pending" },
      { user: "alice" },
      { user: "alice", status: "pending" },
    ] as const) {
      it(`walks in pages, each order once, also while others are placed: ${JSON.stringify(filter)}`, async () => {
        await oneOfEach();
        for (const ctx of [shop.alice, shop.bob, shop.alice, shop.bob, shop.bob]) await place(ctx);
        const user_id = "user" in filter ? shop.alice.principal?.id : undefined;
        const query = { user_id, ...("status" in filter && { status: filter.status }) };
        const all = idsOf((await shop.orders.listOrders({ ...query, limit: 100 }, shop.admin)).data);
        expect(all)
          .to.deep.equal([...all].sort().reverse())
          .and.to.have.length.above(2);
        expect(await walk(query, 2)).to.deep.equal(all);
      });
    }

    it("refuses filters and pages that make no sense", async () => {
      for (const input of [{ status: "lost" }, { user_id: "1" }, { limit: 0 }, { cursor: "MQ" }, { from: "x" }]) {
        const list = shop.orders.listOrders(input as never, shop.admin);
        expect(await codeOf(list)).to.equal("validation-failed");
      }
    });

    const FILTERS = {
      all: { userId: undefined, status: undefined },
      ofStatus: { userId: undefined, status: "pending" },
      ofUser: { userId: "u", status: undefined },
      ofUserPending: { userId: "u", status: "pending" },
      ofUserSettled: { userId: "u", status: "confirmed" },
    } as const;
    for (const [name, filter] of Object.entries(FILTERS)) {
      it(`reads no more rows than it answers: ${name}`, async () => {
        const list = sql<{ detail: string }>`EXPLAIN QUERY PLAN ${listOrders(filter, "x", 2)}`;
        const plan = await shop.stores.orders.read((reading) => reading.all(list));
        const steps = plan.map(({ detail }) => detail);
        expect(steps.join("\n")).not.to.match(/SCAN|TEMP B-TREE/);
        const searches = steps.filter((step) => step.startsWith("SEARCH"));
        expect(searches).to.have.length(name === "ofUser" ? 4 : 1);
        for (const search of searches) expect(search).to.match(/USING (INDEX|PRIMARY KEY) .*id<\?\)$/);
      });
    }
  });

  describe("cancelOrder", () => {
    it("cancels a confirmed order, tells of it once, and its stock comes back", async () => {
      const { id } = await place(shop.alice, 4);
      await shop.deliver();
      expect(await stock()).to.equal(6);
      const cancelled = await shop.orders.cancelOrder({ id }, shop.alice);
      expect(cancelled).to.include({ id, status: "cancelled" });
      expect(await shop.orders.cancelOrder({ id }, shop.admin)).to.deep.equal(cancelled);
      await shop.deliver();
      expect(await stock()).to.equal(10);
      const [, event, ...others] = await eventsOf(shop.stores.orders);
      expect(others).to.deep.equal([]);
      expect(event).to.deep.include({
        type: "order.cancelled",
        subject: id,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        data: { order_id: id, user_id: shop.alice.principal?.id },
      });
    });

    it("cancels a pending order, which stays cancelled whatever is decided", async () => {
      const { id } = await place(shop.alice, 4);
      await shop.orders.cancelOrder({ id }, shop.alice);
      await shop.deliver();
      expect((await shop.orders.getOrder({ id }, shop.alice)).status).to.equal("cancelled");
      expect([await stock(), shop.warnings]).to.deep.equal([10, []]);
    });

    it("refuses a rejected order", async () => {
      const rejected = (await oneOfEach()).find(({ status }) => status === "rejected");
      const cancel = shop.orders.cancelOrder({ id: rejected?.id ?? "" }, shop.alice);
      expect(await codeOf(cancel)).to.equal("order-not-cancellable");
    });

    it("hides another's order", async () => {
      const { id } = await place();
      const missing = await problemOf(shop.orders.cancelOrder({ id: unknownId }, shop.bob));
      const hidden = await problemOf(shop.orders.cancelOrder({ id }, shop.bob));
      expect([hidden.code, hidden.message]).to.deep.equal([missing.code, missing.message]);
      expect(hidden.code).to.equal("not-found");
      expect((await shop.orders.getOrder({ id }, shop.alice)).status).to.equal("pending");
    });
  });

  /** The ids that a list answers, page by page, with an order placed after each. */
  async function walk(query: object, limit: number): Promise<string[]> {
    const walked: string[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page = await shop.orders.listOrders({ ...query, limit, ...(cursor && { cursor }) }, shop.admin);
      expect(page.data).to.have.length.within(1, limit);
      walked.push(...idsOf(page.data));
      cursor = page.next_cursor;
      await place();
    }
    return walked;
  }

  /** Alice's orders, one in each status. */
  async function oneOfEach(): Promise<Order[]> {
    const placed = [await place(), await place(shop.alice, 6), await place(shop.alice, 7)];
    await shop.deliver();
    await shop.orders.cancelOrder({ id: placed[1]?.id ?? "" }, shop.alice);
    await shop.deliver();
    placed.push(await place());
    return Promise.all(placed.map(({ id }) => shop.orders.getOrder({ id }, shop.alice)));
  }
});
