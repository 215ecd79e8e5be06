import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { productEtag } from "../../../src/modules/products/contract.ts";
import { readStockBook } from "../../../src/modules/products/index.ts";
import { codeOf, contextOf, openShop, type Product, problemOf, type Shop } from "../orders/shop.ts";

const anyone = contextOf(null);
const pen = { name: "Pen", price_cents: 250, stock: 10 };
const unknownId = "01890000-0000-7000-8000-000000000000";

describe("Products", () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());

  const ledgerOf = ({ id }: Product) =>
    shop.stores.products.prepare<[string]>("SELECT delta, reason FROM stock_ledger WHERE product_id = ?").all(id);

  describe("addProduct", () => {
    it("fills in what is left out and puts the first stock into the ledger", async () => {
      const added = await shop.products.addProduct(pen, shop.admin);
      expect(added).to.include({ ...pen, description: "", currency: "USD", active: true });
      expect(added.created_at).to.equal(added.updated_at);
      expect(await shop.products.getProduct({ id: added.id }, anyone)).to.deep.equal(added);
      expect(ledgerOf(added)).to.deep.equal([{ delta: 10, reason: "initial" }]);
    });

    it("takes a laptop in rupiahs, and the dearest thing there can be", async () => {
      for (const price_cents of [1_500_000_000, 1_000_000_000_000]) {
        const { id } = await shop.products.addProduct({ ...pen, price_cents, currency: "IDR" }, shop.admin);
        expect(await shop.products.getProduct({ id }, anyone)).to.include({ price_cents, currency: "IDR" });
        const order = await shop.orders.placeOrder({ product_id: id, quantity: 3 }, shop.alice);
        expect(order.total_cents).to.equal(3 * price_cents);
      }
    });

    it("puts nothing into the ledger for a product without stock", async () => {
      expect(ledgerOf(await shop.addProduct({ stock: 0 }))).to.deep.equal([]);
    });

    it("is for admins only", async () => {
      expect(await codeOf(shop.products.addProduct(pen, anyone))).to.equal("unauthenticated");
      expect(await codeOf(shop.products.addProduct(pen, shop.alice))).to.equal("forbidden");
    });

    const faults: [string, Record<string, unknown>, string][] = [
      ["an unknown member", { id: unknownId }, "/id"],
      ["a price below zero", { price_cents: -1 }, "/price_cents"],
      ["a price with a fraction", { price_cents: 1.5 }, "/price_cents"],
      ["a price as text", { price_cents: "250" }, "/price_cents"],
      ["a price beyond the bound", { price_cents: 1_000_000_000_001 }, "/price_cents"],
      ["stock beyond the bound", { stock: 1_000_000_001 }, "/stock"],
      ["a code that is no currency's", { currency: "ZZZ" }, "/currency"],
      ["the code for no currency", { currency: "XXX" }, "/currency"],
      ["a currency in lower case", { currency: "usd" }, "/currency"],
      ["an empty name", { name: "" }, "/name"],
      ["a NUL in the name", { name: "a\0b" }, "/name"],
      ["a lone surrogate in the description", { description: "\ud800" }, "/description"],
    ];
    for (const [what, members, pointer] of faults) {
      it(`refuses ${what}, and nothing changes`, async () => {
        const problem = await problemOf(shop.products.addProduct({ ...pen, ...members }, shop.admin));
        expect(problem.code).to.equal("validation-failed");
        expect(problem.options.errors?.map((error) => error.pointer)).to.deep.equal([pointer]);
        expect((await shop.products.listProducts({}, anyone)).data).to.deep.equal([]);
      });
    }

    it("answers a retry with the first answer, and adds nothing", async () => {
      const first = await shop.products.addProduct({ ...pen, idempotencyKey: "k" }, shop.admin);
      const second = await shop.products.addProduct({ ...pen, idempotencyKey: "k" }, shop.admin);
      expect(second).to.deep.equal({ ...first, replayed: true });
      expect((await shop.products.listProducts({}, anyone)).data).to.have.length(1);
    });

    it("refuses a key that came with another request", async () => {
      await shop.products.addProduct({ ...pen, idempotencyKey: "k" }, shop.admin);
      const other = shop.products.addProduct({ ...pen, name: "Pencil", idempotencyKey: "k" }, shop.admin);
      expect(await codeOf(other)).to.equal("idempotency-key-reused");
    });

    it("refuses a key whose first request still runs", async () => {
      const first = shop.products.addProduct({ ...pen, idempotencyKey: "k" }, shop.admin);
      expect(await codeOf(shop.products.addProduct({ ...pen, idempotencyKey: "k" }, shop.admin))).to.equal(
        "request-in-progress",
      );
      expect((await first).name).to.equal("Pen");
    });
  });

  describe("getProduct", () => {
    it("shows an inactive product to an admin only", async () => {
      const { id } = await shop.addProduct();
      await shop.products.updateProduct({ id, active: false }, shop.admin);
      const missing = await problemOf(shop.products.getProduct({ id: unknownId }, anyone));
      for (const ctx of [anyone, shop.alice]) {
        const hidden = await problemOf(shop.products.getProduct({ id }, ctx));
        expect([hidden.code, hidden.message]).to.deep.equal(["not-found", missing.message]);
      }
      expect(await shop.products.getProduct({ id }, shop.admin)).to.include({ id, active: false });
    });

    it("refuses what is not an id", async () => {
      expect(await codeOf(shop.products.getProduct({ id: "1" }, anyone))).to.equal("validation-failed");
    });
  });

  describe("listProducts", () => {
    it("walks all active products, newest first, each once, also while others are added", async () => {
      const added: Product[] = [];
      for (let n = 0; n < 7; n += 1) added.push(await shop.addProduct({ name: `Pen ${n}` }));
      await shop.products.updateProduct({ id: added[3]?.id ?? "", active: false }, shop.admin);
      const seen: string[] = [];
      let cursor: string | null | undefined;
      while (cursor !== null) {
        const page = await shop.products.listProducts({ limit: 2, ...(cursor && { cursor }) }, shop.admin);
        seen.push(...page.data.map(({ name }) => name));
        cursor = page.next_cursor;
        await shop.addProduct({ name: "Late" });
      }
      expect(seen).to.deep.equal(["Pen 6", "Pen 5", "Pen 4", "Pen 2", "Pen 1", "Pen 0"]);
    });

    it("refuses limits out of bounds and cursors that no list answered", async () => {
      for (const input of [{ limit: 0 }, { limit: 101 }, { cursor: "MQ" }, { cursor: unknownId }, { cursor: "" }]) {
        expect(await codeOf(shop.products.listProducts(input, anyone))).to.equal("validation-failed");
      }
    });
  });

  describe("updateProduct", () => {
    it("changes what is given and leaves the rest", async () => {
      const before = await shop.addProduct({ description: "Blue" });
      const after = await shop.products.updateProduct({ id: before.id, price_cents: 300 }, shop.admin);
      expect(after).to.deep.equal({ ...before, price_cents: 300, updated_at: after.updated_at });
      expect(await shop.products.getProduct({ id: before.id }, anyone)).to.deep.equal(after);
    });

    it("changes nothing, not even its time, where nothing is to change", async () => {
      const before = await shop.products.addProduct(pen, shop.admin);
      await sleep(5);
      for (const changes of [{}, { name: pen.name, active: true }]) {
        expect(await shop.products.updateProduct({ id: before.id, ...changes }, shop.admin)).to.deep.equal(before);
      }
    });

    it("honours If-Match", async () => {
      const before = await shop.addProduct();
      const { id } = before;
      const seen = productEtag(before);
      const after = await shop.products.updateProduct({ id, name: "Pencil", ifMatch: `"x", ${seen}` }, shop.admin);
      for (const ifMatch of [seen, `W/${productEtag(after)}`, '"x"', "nonsense"]) {
        const late = shop.products.updateProduct({ id, name: "Quill", ifMatch }, shop.admin);
        expect(await codeOf(late)).to.equal("precondition-failed");
      }
      expect((await shop.products.getProduct({ id }, anyone)).name).to.equal("Pencil");
      expect((await shop.products.updateProduct({ id, name: "Quill", ifMatch: "*" }, shop.admin)).name).to.equal(
        "Quill",
      );
    });

    it("lets one of many who saw the same product change it", async () => {
      const before = await shop.addProduct();
      const ifMatch = productEtag(before);
      const changes = [1, 2, 3, 4].map((price_cents) =>
        shop.products.updateProduct({ id: before.id, price_cents, ifMatch }, shop.admin),
      );
      const results = await Promise.allSettled(changes);
      expect(results.filter(({ status }) => status === "fulfilled")).to.have.length(1);
    });

    it("says not-found before it looks at If-Match", async () => {
      const update = shop.products.updateProduct({ id: unknownId, ifMatch: '"x"' }, shop.admin);
      expect(await codeOf(update)).to.equal("not-found");
    });

    it("refuses a change of stock or currency, and anybody but an admin", async () => {
      const { id } = await shop.addProduct();
      for (const members of [{ stock: 5 }, { currency: "EUR" }, { name: null }]) {
        const update = shop.products.updateProduct({ id, ...members } as never, shop.admin);
        expect(await codeOf(update)).to.equal("validation-failed");
      }
      expect(await codeOf(shop.products.updateProduct({ id, name: "Mine" }, shop.alice))).to.equal("forbidden");
    });
  });

  describe("restockProduct", () => {
    it("adds to the stock and to the ledger", async () => {
      const before = await shop.addProduct();
      const after = await shop.products.restockProduct({ id: before.id, quantity: 5 }, shop.admin);
      expect(after.stock).to.equal(15);
      expect(ledgerOf(before)).to.deep.include({ delta: 5, reason: "restocked" });
    });

    it("adds once, however often it is tried with one key", async () => {
      const { id } = await shop.addProduct();
      const input = { id, quantity: 5, idempotencyKey: "k" };
      const first = await shop.products.restockProduct(input, shop.admin);
      await shop.products.restockProduct({ id, quantity: 1 }, shop.admin);
      expect(await shop.products.restockProduct(input, shop.admin)).to.deep.equal({ ...first, replayed: true });
      expect((await shop.products.getProduct({ id }, anyone)).stock).to.equal(16);
      const other = shop.products.restockProduct({ ...input, quantity: 6 }, shop.admin);
      expect(await codeOf(other)).to.equal("idempotency-key-reused");
    });

    it("keeps no failure: a key is free again after one", async () => {
      const input = { quantity: 5, idempotencyKey: "k" };
      const missing = shop.products.restockProduct({ id: unknownId, ...input }, shop.admin);
      expect(await codeOf(missing)).to.equal("not-found");
      const { id } = await shop.addProduct();
      expect((await shop.products.restockProduct({ id, ...input }, shop.admin)).stock).to.equal(15);
    });

    it("refuses to pass the bound of a stock, with a pointer to the quantity", async () => {
      const { id } = await shop.addProduct({ stock: 999_999_999 });
      expect((await shop.products.restockProduct({ id, quantity: 1 }, shop.admin)).stock).to.equal(1_000_000_000);
      const problem = await problemOf(shop.products.restockProduct({ id, quantity: 1 }, shop.admin));
      expect([problem.code, problem.options.errors?.[0]?.pointer]).to.deep.equal(["validation-failed", "/quantity"]);
      expect((await shop.products.getProduct({ id }, anyone)).stock).to.equal(1_000_000_000);
    });

    it("refuses quantities out of bounds, and anybody but an admin", async () => {
      const { id } = await shop.addProduct();
      for (const quantity of [0, -1, 1.5, 1_001, "5"]) {
        const restock = shop.products.restockProduct({ id, quantity: quantity as number }, shop.admin);
        expect(await codeOf(restock)).to.equal("validation-failed");
      }
      expect(await codeOf(shop.products.restockProduct({ id, quantity: 1 }, shop.alice))).to.equal("forbidden");
    });
  });

  describe("correctProduct", () => {
    const notesOf = ({ id }: Product) =>
      shop.stores.products
        .prepare<[string]>("SELECT delta, note FROM stock_ledger WHERE product_id = ? AND reason = 'corrected'")
        .all(id);

    it("takes away what is missing and adds what was found, and keeps why", async () => {
      const before = await shop.addProduct();
      const correct = (delta: number, reason: string) =>
        shop.products.correctProduct({ id: before.id, delta, reason }, shop.admin);
      expect((await correct(-4, "four broken")).stock).to.equal(6);
      expect((await correct(1, "behind the shelf")).stock).to.equal(7);
      expect(notesOf(before)).to.have.deep.members([
        { delta: -4, note: "four broken" },
        { delta: 1, note: "behind the shelf" },
      ]);
      expect((await readStockBook(shop.stores.products)).products).to.deep.equal([
        { id: before.id, stock: 7, ledgerSum: 7 },
      ]);
    });

    it("takes all that nobody has reserved, and not one more", async () => {
      const { id } = await shop.addProduct();
      const order = await shop.orders.placeOrder({ product_id: id, quantity: 4 }, shop.alice);
      await shop.deliver();
      const problem = await problemOf(shop.products.correctProduct({ id, delta: -7, reason: "lost" }, shop.admin));
      expect([problem.code, problem.status]).to.deep.equal(["insufficient-stock", 409]);
      expect(problem.options.extensions).to.deep.equal({ product_id: id, available: 6 });
      expect((await shop.products.correctProduct({ id, delta: -6, reason: "lost" }, shop.admin)).stock).to.equal(0);
      await shop.orders.cancelOrder({ id: order.id }, shop.alice);
      await shop.deliver();
      expect((await shop.products.getProduct({ id }, anyone)).stock).to.equal(4);
    });

    it("corrects once, however often it is tried with one key", async () => {
      const { id } = await shop.addProduct();
      const input = { id, delta: -3, reason: "lost", idempotencyKey: "k" };
      const first = await shop.products.correctProduct(input, shop.admin);
      expect(await shop.products.correctProduct(input, shop.admin)).to.deep.equal({ ...first, replayed: true });
      expect((await shop.products.getProduct({ id }, anyone)).stock).to.equal(7);
      for (const other of [
        shop.products.correctProduct({ ...input, reason: "stolen" }, shop.admin),
        shop.products.restockProduct({ id, quantity: 3, idempotencyKey: "k" }, shop.admin),
      ]) {
        expect(await codeOf(other)).to.equal("idempotency-key-reused");
      }
    });

    it("refuses to pass the bound of a stock, nothing, no reason, and anybody but an admin", async () => {
      const { id } = await shop.addProduct();
      const refusals: [object, string][] = [
        [{ delta: 999_999_991 }, "/delta"],
        [{ delta: 0 }, "/delta"],
        [{ delta: -1_000_000_001 }, "/delta"],
        [{ reason: "" }, "/reason"],
        [{ reason: " \n" }, "/reason"],
        [{ reason: "\u0007\u200b" }, "/reason"],
        [{ reason: "x".repeat(201) }, "/reason"],
      ];
      for (const [members, pointer] of refusals) {
        const input = { id, delta: -1, reason: "lost", ...members };
        const problem = await problemOf(shop.products.correctProduct(input, shop.admin));
        expect([problem.code, problem.options.errors?.[0]?.pointer]).to.deep.equal(["validation-failed", pointer]);
      }
      const input = { id, delta: -1, reason: "lost" };
      expect(await codeOf(shop.products.correctProduct(input, shop.alice))).to.equal("forbidden");
      const missing = shop.products.correctProduct({ ...input, id: unknownId }, shop.admin);
      expect(await codeOf(missing)).to.equal("not-found");
    });
  });
});
