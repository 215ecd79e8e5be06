import { expect } from "chai";
import { type ListShape, listQuery } from "../../../src/modules/products/product-lists.ts";
import { searchQuery } from "../../../src/modules/products/search-text.ts";
import { sql } from "../../../src/store/sql.ts";
import { codeOf, contextOf, openShop, type Product, problemOf, type Shop } from "../orders/shop.ts";

const anyone = contextOf(null);
const SORTS = ["newest", "price", "-price", "name", "-name"] as const;

describe("Lists of products", () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());

  type Query = Parameters<Shop["products"]["listProducts"]>[0];
  const namesOf = (products: readonly Product[]) => products.map(({ name }) => name);
  const list = async (query: Query, ctx = anyone) => namesOf((await shop.products.listProducts(query, ctx)).data);
  const off = ({ id }: Product) => shop.products.updateProduct({ id, active: false }, shop.admin);

  /** All pages of two, one after the other; something happens between them. */
  async function walk(query: Query, between = async (_page: number) => {}): Promise<string[]> {
    const seen: string[] = [];
    let cursor: string | null | undefined;
    for (let page = 0; cursor !== null; page += 1) {
      const answer = await shop.products.listProducts({ ...query, limit: 2, ...(cursor && { cursor }) }, shop.admin);
      seen.push(...namesOf(answer.data));
      cursor = answer.next_cursor;
      await between(page);
    }
    return seen;
  }

  describe("of what is not for sale", () => {
    beforeEach(async () => {
      await shop.addProduct({ name: "Pen" });
      await off(await shop.addProduct({ name: "Gone" }));
      await shop.addProduct({ name: "Mug" });
    });

    it("are for an admin, who sees the one, the other or all", async () => {
      expect(await list({}, shop.admin)).to.deep.equal(["Mug", "Pen"]);
      expect(await list({ active: "true" }, shop.admin)).to.deep.equal(["Mug", "Pen"]);
      expect(await list({ active: "false" }, shop.admin)).to.deep.equal(["Gone"]);
      expect(await list({ active: "all" }, shop.admin)).to.deep.equal(["Mug", "Gone", "Pen"]);
      for (const sort of ["newest", "name"] as const) {
        expect(await list({ active: "false", q: "gone", sort }, shop.admin)).to.deep.equal(["Gone"]);
        expect(await list({ active: "true", q: "gone", sort }, shop.admin)).to.deep.equal([]);
        expect(await list({ active: "all", q: "g", sort }, shop.admin)).to.deep.equal(["Gone"]);
      }
    });

    it("are refused to others, who may ask for what is for sale", async () => {
      expect(await list({ active: "true" })).to.deep.equal(["Mug", "Pen"]);
      for (const active of ["false", "all"] as const) {
        expect(await codeOf(shop.products.listProducts({ active }, anyone))).to.equal("unauthenticated");
        expect(await codeOf(shop.products.listProducts({ active }, shop.alice))).to.equal("forbidden");
      }
      expect(await codeOf(shop.products.listProducts({ active: "no" as "all" }, shop.admin))).to.equal(
        "validation-failed",
      );
    });
  });

  describe("that match a text", () => {
    beforeEach(async () => {
      await shop.addProduct({ name: "Fountain pen", description: "Brass body, steel nib" });
      await shop.addProduct({ name: "Café crème", description: "Crème brûlée flavour; Ärger? NO" });
      await shop.addProduct({ name: "Pencil", description: "Soft, for fountain drawings" });
      await shop.addProduct({ name: "手机壳", description: 'C++ & "quotes" 100%' });
    });

    const found: [string, string[]][] = [
      ["fountain", ["Pencil", "Fountain pen"]],
      ["FOUNTAIN pen", ["Pencil", "Fountain pen"]],
      ["pen fountain", ["Pencil", "Fountain pen"].slice(1)],
      ["steel fount", ["Fountain pen"]],
      ["pe", ["Pencil", "Fountain pen"]],
      ["cafe", ["Café crème"]],
      ["CREME brulee", ["Café crème"]],
      ["cre\u0301me", ["Café crème"]],
      ["arger no", ["Café crème"]],
      ["手机", ["手机壳"]],
      ["100", ["手机壳"]],
      ["nothing like it", []],
    ];
    for (const [q, names] of found) {
      it(`are ${names.join(" and ") || "none"} for ${q}`, async () => {
        expect(await list({ q })).to.deep.equal(names);
        expect(await list({ q, sort: "name" })).to.deep.equal([...names].sort());
      });
    }

    it("are never a question to the engine: whatever is typed is text", async () => {
      const typed = [
        ...['"', "'", "*", "(", ")", '""', '"pen', "pen*", "pen OR mug", "NOT pen", "NEAR(a b)", "a AND", "name:pen"],
        ...[
          "-pen",
          "^pen",
          "{name} : pen",
          "pen + mug",
          "\\",
          ";--",
          "%",
          "_",
          "+",
          "!!!",
          "\u{1e900}",
          "\u0301",
          "😀",
        ],
      ];
      for (const q of typed) {
        for (const sort of ["newest", "price"] as const) {
          expect((await shop.products.listProducts({ q, sort }, anyone)).data, q).to.be.an("array");
        }
      }
      expect(await list({ q: "pen*" })).to.deep.equal(["Pencil", "Fountain pen"]);
      expect(await list({ q: "!!!" })).to.deep.equal([]);
      expect(searchQuery('say "a" OR b*')).to.equal('"say" AND "a" AND "OR" AND "b"*');
      for (const q of ["", "x".repeat(201), "a\0"]) {
        const problem = await problemOf(shop.products.listProducts({ q }, anyone));
        expect(problem.options.errors?.[0]?.pointer).to.equal("/q");
      }
    });

    it("follow what products are called now", async () => {
      const pen = (await shop.products.listProducts({ q: "brass" }, anyone)).data[0];
      const change = (changes: object) => shop.products.updateProduct({ id: pen?.id ?? "", ...changes }, shop.admin);
      await change({ name: "fountain PEN" });
      await change({ price_cents: 5 });
      expect(await list({ q: "fountain pen brass" })).to.deep.equal(["fountain PEN"]);
      await change({ description: "Silver" });
      expect([await list({ q: "brass" }), await list({ q: "silver" })]).to.deep.equal([[], ["fountain PEN"]]);
      await change({ name: "Quill" });
      expect([await list({ q: "silver pen" }), await list({ q: "quill" })]).to.deep.equal([[], ["Quill"]]);
    });

    it("are walked in pages, each once, in every order", async () => {
      for (let n = 0; n < 5; n += 1) await shop.addProduct({ name: `Brush ${n}`, price_cents: 10 - n });
      const brushes = [0, 1, 2, 3, 4].map((n) => `Brush ${n}`);
      for (const sort of ["name", "-price"] as const) expect(await walk({ q: "brush", sort })).to.deep.equal(brushes);
      for (const sort of ["newest", "price", "-name"] as const) {
        expect(await walk({ q: "brush", sort })).to.deep.equal([...brushes].reverse());
      }
    });

    it("are the same when there are very many", async () => {
      const { products } = shop.stores;
      const insert = products.prepare<[string, string, number]>(
        `INSERT INTO products (id, name, description, price_cents, currency, stock, active, created_at, updated_at)
         VALUES (?, ?, '', ?, 'USD', 1, 1, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')`,
      );
      await products.write(function* () {
        for (let n = 0; n < 1_500; n += 1) {
          insert.run(`019f0000-0000-7000-8000-${String(n).padStart(12, "0")}`, `Bead ${n}`, (n * 7) % 1_500);
        }
      });
      const prices = async (sort: "price" | "-price", cursor?: string) => {
        const page = await shop.products.listProducts({ q: "bead", sort, ...(cursor && { cursor }) }, anyone);
        return { prices: page.data.map(({ price_cents }) => price_cents), next: page.next_cursor ?? "" };
      };
      const twenty = Array.from({ length: 20 }, (_, n) => n);
      const first = await prices("price");
      expect(first.prices).to.deep.equal(twenty);
      expect((await prices("price", first.next)).prices).to.deep.equal(twenty.map((n) => n + 20));
      expect((await prices("-price")).prices).to.deep.equal(twenty.map((n) => 1_499 - n));
    });
  });

  describe("in an order", () => {
    it("have products of one price by age, and show each once while others come and go", async () => {
      const added: Product[] = [];
      for (let n = 0; n < 7; n += 1)
        added.push(await shop.addProduct({ name: `Pen ${n}`, price_cents: n < 5 ? 100 : 50 }));
      const comeAndGo = async (page: number) => {
        await shop.addProduct({ name: "Cheap", price_cents: 1 });
        if (page === 1 && added[1] !== undefined) await off(added[1]); // the last that was shown
      };
      const names = (...ns: number[]) => ns.map((n) => `Pen ${n}`);
      expect(await walk({ sort: "price" })).to.deep.equal(names(5, 6, 0, 1, 2, 3, 4));
      expect(await walk({ sort: "-price" })).to.deep.equal(names(4, 3, 2, 1, 0, 6, 5));
      expect(await walk({ sort: "price" }, comeAndGo)).to.deep.equal(names(5, 6, 0, 1, 2, 3, 4));
    });

    it("by name pass over the case of letters", async () => {
      for (const name of ["banana", "Apple", "cherry", "apple", "Banana split"]) await shop.addProduct({ name });
      const names = ["Apple", "apple", "banana", "Banana split", "cherry"];
      expect(await walk({ sort: "name" })).to.deep.equal(names);
      expect(await walk({ sort: "-name" })).to.deep.equal([...names].reverse());
    });

    it("go on with a cursor of that order only", async () => {
      for (const name of ["a", "b", "c"]) await shop.addProduct({ name });
      for (const sort of SORTS) {
        const { next_cursor } = await shop.products.listProducts({ sort, limit: 1 }, anyone);
        const cursor = next_cursor ?? "";
        expect(await list({ sort, cursor })).to.have.length(2);
        for (const other of SORTS.filter((each) => each !== sort)) {
          const problem = await problemOf(shop.products.listProducts({ sort: other, cursor }, anyone));
          expect(problem.options.errors?.[0]?.pointer, `${sort} ${other}`).to.equal("/cursor");
        }
      }
    });

    it("refuse cursors that no list answered, and orders that there are not", async () => {
      const id = "01890000-0000-7000-8000-000000000000";
      const forged = [
        ["price", "1", id],
        ["price", 1, "x"],
        ["price", 1, id, 2],
        ["price", 1],
        ["price", null, id],
        {},
        1,
      ];
      const cursors = forged.map((parts) => Buffer.from(JSON.stringify(parts)).toString("base64url"));
      const spaced = Buffer.from(`["price", 1, "${id}"]`).toString("base64url");
      for (const cursor of [...cursors, spaced, "x", "", Buffer.from(id).toString("base64url")]) {
        const problem = await problemOf(shop.products.listProducts({ sort: "price", cursor }, anyone));
        expect([problem.code, problem.options.errors?.[0]?.pointer]).to.deep.equal(["validation-failed", "/cursor"]);
      }
      const answer = shop.products.listProducts({ sort: "colour" as "name" }, anyone);
      expect((await problemOf(answer)).options.errors?.[0]?.pointer).to.equal("/sort");
    });
  });

  describe("walk an index, and sort nothing but few matches:", () => {
    const LIST = { text: "x", after: undefined, limit: 1 } as const;
    const AFTER = { key: "x", id: "x" };
    const planOf = async (shape: Omit<ListShape, keyof typeof LIST> & Partial<ListShape>) => {
      const plan = sql<{ detail: string }>`EXPLAIN QUERY PLAN ${listQuery({ ...LIST, ...shape })}`;
      const steps = await shop.stores.products.read((reading) => reading.all(plan));
      return steps.map(({ detail }) => detail).join("; ");
    };
    for (const sort of SORTS) {
      const from = sort === "newest" ? /id</ : /\((price_cents|name),id\)[<>]/;
      for (const active of [true, undefined]) {
        it(`${sort}, ${active ? "what is for sale" : "all"}`, async () => {
          const shape = { active, sort, search: "none" } as const;
          expect(await planOf(shape)).to.match(/^(SEARCH|SCAN) products USING INDEX [^;]*$/);
          expect(await planOf({ ...shape, after: AFTER }))
            .to.match(/^SEARCH products USING INDEX [^;]*$/)
            .and.match(from);
          const many = await planOf({ ...shape, search: "along the index", after: AFTER });
          expect(many).to.match(from).and.not.contain("TEMP B-TREE");
        });
      }
    }
  });
});
