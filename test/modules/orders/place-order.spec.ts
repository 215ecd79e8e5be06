import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { codeOf, contextOf, eventsOf, openShop, type Product, problemOf, type Shop } from "./shop.ts";

const unknownId = "01890000-0000-7000-8000-000000000000";

describe("Placing an order through its contract", () => {
  let shop: Shop;
  let pen: Product;
  beforeEach(async () => {
    shop = await openShop();
    pen = await shop.addProduct();
  });
  afterEach(() => shop.close());

  const placePen = (members: object = {}, ctx = shop.alice) =>
    shop.orders.placeOrder({ product_id: pen.id, quantity: 2, ...members }, ctx);
  const orderCount = async () => (await shop.orders.listOrders({ limit: 100 }, shop.admin)).data.length;

  it("answers a pending order, the caller's own, at the price of the moment", async () => {
    const placed = await placePen();
    expect(placed).to.deep.include({
      user_id: shop.alice.principal?.id,
      status: "pending",
      items: [{ product_id: pen.id, name: "Pen", quantity: 2, unit_price_cents: 250, line_total_cents: 500 }],
      total_cents: 500,
      currency: "USD",
      rejection: null,
    });
    await shop.products.updateProduct({ id: pen.id, name: "Quill", price_cents: 999 }, shop.admin);
    expect(await shop.orders.getOrder({ id: placed.id }, shop.alice)).to.deep.equal(placed);
  });

  it("publishes order.created, within the trace of the call", async () => {
    const mug = await shop.addProduct({ name: "Mug" });
    const items = [pen, mug, pen].map(({ id }) => ({ product_id: id, quantity: 1 }));
    const { id } = await shop.orders.placeOrder({ items }, shop.alice);
    const [event] = await eventsOf(shop.stores.orders);
    expect(event).to.deep.include({
      type: "order.created",
      subject: id,
      source: "/orders",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      data: {
        order_id: id,
        user_id: shop.alice.principal?.id,
        items: [
          { product_id: pen.id, quantity: 2 },
          { product_id: mug.id, quantity: 1 },
        ],
        total_cents: 750,
        currency: "USD",
      },
    });
  });

  it("lets an admin order for another, and says when there is no such user", async () => {
    const user_id = shop.bob.principal?.id;
    expect((await placePen({ user_id }, shop.admin)).user_id).to.equal(user_id);
    expect(await codeOf(placePen({ user_id: unknownId }, shop.admin))).to.equal("user-not-found");
  });

  it("forbids a customer to order for another, before anything else is looked at", async () => {
    for (const user_id of [shop.bob.principal?.id, unknownId]) {
      expect(await codeOf(placePen({ user_id, product_id: unknownId }))).to.equal("forbidden");
    }
    expect((await placePen({ user_id: shop.alice.principal?.id })).status).to.equal("pending");
  });

  it("needs somebody signed in", async () => {
    expect(await codeOf(placePen({}, contextOf(null)))).to.equal("unauthenticated");
  });

  it("says user-not-found for a caller who is gone, whatever is wrong with the products", async () => {
    const ghost = contextOf({ id: unknownId, role: "customer" });
    expect(await codeOf(placePen({ product_id: unknownId }, ghost))).to.equal("user-not-found");
  });

  it("names the first product that is not there", async () => {
    const items = [pen.id, unknownId, unknownId.replace("8000", "9000")].map((product_id) => ({
      product_id,
      quantity: 1,
    }));
    const problem = await problemOf(shop.orders.placeOrder({ items }, shop.alice));
    expect([problem.code, problem.options.extensions]).to.deep.equal(["product-not-found", { product_id: unknownId }]);
  });

  it("refuses an inactive product to everyone, an admin too", async () => {
    await shop.products.updateProduct({ id: pen.id, active: false }, shop.admin);
    for (const ctx of [shop.alice, shop.admin]) {
      const problem = await problemOf(placePen({}, ctx));
      expect([problem.code, problem.options.extensions]).to.deep.equal(["product-not-found", { product_id: pen.id }]);
    }
  });

  it("refuses what is plainly short, two lines for one product added up, and tells what there is", async () => {
    const items = [6, 5].map((quantity) => ({ product_id: pen.id, quantity }));
    const problem = await problemOf(shop.orders.placeOrder({ items }, shop.alice));
    expect([problem.code, problem.options.extensions]).to.deep.equal([
      "insufficient-stock",
      { product_id: pen.id, available: 10 },
    ]);
    expect(await orderCount()).to.equal(0);
    expect(await eventsOf(shop.stores.orders)).to.deep.equal([]);
  });

  it("refuses two currencies in one order", async () => {
    const map = await shop.addProduct({ currency: "EUR" });
    const items = [pen, map].map(({ id }) => ({ product_id: id, quantity: 1 }));
    expect(await codeOf(shop.orders.placeOrder({ items }, shop.alice))).to.equal("mixed-currencies");
  });

  const line = { product_id: unknownId, quantity: 1 };
  const faults: [string, object, string[]][] = [
    ["nothing", {}, ["/product_id", "/quantity"]],
    ["a product without a quantity", { product_id: unknownId }, ["/quantity"]],
    ["both forms", { ...line, items: [line] }, ["/product_id", "/quantity"]],
    ["no lines", { items: [] }, ["/items"]],
    ["too many lines", { items: Array(51).fill(line) }, ["/items"]],
    ["a price", { ...line, price_cents: 1 }, ["/price_cents"]],
    ["a status", { ...line, status: "confirmed" }, ["/status"]],
    ["a price in a line", { items: [{ ...line, unit_price_cents: 1 }] }, ["/items/0/unit_price_cents"]],
    ...[0, -1, 1.5, "5", 1_001, 2 ** 53 + 1, Number.POSITIVE_INFINITY, null].map(
      (quantity): [string, object, string[]] => [`a quantity of ${quantity}`, { ...line, quantity }, ["/quantity"]],
    ),
    ["an empty key", { ...line, idempotencyKey: "" }, ["/Idempotency-Key"]],
    ["a key of 256 characters", { ...line, idempotencyKey: "k".repeat(256) }, ["/Idempotency-Key"]],
  ];
  for (const [what, input, pointers] of faults) {
    it(`refuses ${what}`, async () => {
      const problem = await problemOf(shop.orders.placeOrder(input, shop.alice));
      expect(problem.code).to.equal("validation-failed");
      expect([...new Set(problem.options.errors?.map(({ pointer }) => pointer))]).to.deep.equal(pointers);
    });
  }

  describe("with an idempotency key", () => {
    it("answers a retry as the first time, even when all has changed since", async () => {
      const first = await placePen({ idempotencyKey: "k" });
      await shop.deliver();
      await shop.products.updateProduct({ id: pen.id, active: false }, shop.admin);
      expect(await placePen({ idempotencyKey: "k" })).to.deep.equal({ ...first, replayed: true });
      expect([await orderCount(), (await eventsOf(shop.stores.orders)).length]).to.deep.equal([1, 1]);
    });

    it("refuses the key with another request, and while the first runs", async () => {
      const first = placePen({ idempotencyKey: "k" });
      expect(await codeOf(placePen({ idempotencyKey: "k" }))).to.equal("request-in-progress");
      await first;
      expect(await codeOf(placePen({ idempotencyKey: "k", quantity: 3 }))).to.equal("idempotency-key-reused");
    });

    it("keeps each user's keys apart", async () => {
      const one = await placePen({ idempotencyKey: "k" });
      const other = await placePen({ idempotencyKey: "k", quantity: 1 }, shop.bob);
      expect(other.id).not.to.equal(one.id);
    });

    it("keeps no failure", async () => {
      const input = { quantity: 11, idempotencyKey: "k" };
      expect(await codeOf(placePen(input))).to.equal("insufficient-stock");
      await shop.products.restockProduct({ id: pen.id, quantity: 1 }, shop.admin);
      expect((await placePen(input)).status).to.equal("pending");
    });

    it("makes one order of many copies", async () => {
      const copies = Array.from({ length: 20 }, () => placePen({ idempotencyKey: "k" }));
      await Promise.allSettled(copies);
      expect(await orderCount()).to.equal(1);
    });
  });
});

describe("Placing an order while a neighbour fails", () => {
  const cases: [fault: string, timeoutMs: number, code: string][] = [
    ["users.getUser=unavailable", 60_000, "dependency-unavailable"],
    ["products.getProduct=unavailable", 60_000, "dependency-unavailable"],
    ["users.getUser=delay:200", 20, "upstream-timeout"],
    ["products.getProduct=delay:200", 20, "upstream-timeout"],
  ];
  for (const [fault, timeoutMs, code] of cases) {
    it(`${fault} → ${code}, and no order`, async () => {
      const shop = await openShop(fault);
      const { id } = await shop.addProduct();
      const ctx = contextOf(shop.alice.principal, timeoutMs);
      const input = { product_id: id, quantity: 1, idempotencyKey: "k" };
      expect(await codeOf(shop.orders.placeOrder(input, ctx))).to.equal(code);
      expect((await shop.orders.listOrders({}, shop.admin)).data).to.deep.equal([]);
      expect(await eventsOf(shop.stores.orders)).to.deep.equal([]);
      await shop.close();
    });
  }

  it("tells of every order that it makes, however close to the deadline", async () => {
    const shop = await openShop("products.getProduct=delay:50");
    const product_id = (await shop.addProduct({ stock: 1_000 })).id;
    const answers = Array.from({ length: 200 }, async (_, n) => {
      await sleep(n * 3);
      const ctx = contextOf(shop.alice.principal, 51 + (n % 20) / 10);
      return shop.orders.placeOrder({ product_id, quantity: 1 }, ctx).then(
        () => "placed",
        ({ code, options }) => `${code}: ${options.extensions.outcome}`,
      );
    });
    const told = await Promise.all(answers);
    const made = (await eventsOf(shop.stores.orders)).length;
    await shop.close();
    const count = (answer: string) => told.filter((each) => each === answer).length;
    const [placed, unknown] = [count("placed"), count("upstream-timeout: unknown")]; // what a slow disk may leave open
    expect(placed + unknown + count("upstream-timeout: not-begun")).to.equal(told.length);
    expect(made).to.be.within(placed, placed + unknown);
  });
});
