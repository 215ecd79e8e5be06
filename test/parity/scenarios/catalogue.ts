import { register } from "../../support/api.ts";
import type { Scenario } from "../scenario.ts";

const ABSENT = "018f0000-0000-7000-8000-000000000000";

export const catalogue: readonly Scenario[] = [
  {
    name: "products: add, read, change, restock",
    async run(stage) {
      const admin = await stage.admin();
      const { token } = await register(stage.quiet, "gina");
      const lamp = { name: "Lamp", description: "Gives light", price_cents: 4_900, currency: "EUR", stock: 5 };
      await stage.post("/products", lamp, token);
      await stage.post("/products", lamp);
      const added = await stage.post("/products", lamp, admin.token);
      const path = `/products/${(added.body as { id: string }).id}`;
      const tag = added.headers.etag ?? "";
      await stage.get(path);
      await stage.get(path, undefined, { "if-none-match": tag });
      await stage.get(path, undefined, { "if-none-match": `W/${tag}, "other"` });
      await stage.get(path, undefined, { "if-none-match": '"other"' });
      await stage.get(path, undefined, { "if-none-match": "*" });
      const patch = (body: object, token?: string, headers = {}) =>
        stage.call({ method: "PATCH", path, body, token, headers });
      await patch({ price_cents: 1 }, token);
      await patch({ price_cents: 1 });
      await patch({ price_cents: 4_800 }, admin.token, { "if-match": tag });
      await patch({ price_cents: 4_700 }, admin.token, { "if-match": tag });
      await patch({ description: "Gives more light" }, admin.token, { "if-match": "*" });
      await patch({ active: false }, admin.token);
      await stage.get(path);
      await stage.get(path, token);
      await stage.get(path, admin.token);
      await stage.post("/orders", { product_id: path.slice(10), quantity: 1 }, token);
      await stage.post("/orders", { product_id: path.slice(10), quantity: 1 }, admin.token);
      await patch({ active: true }, admin.token);
      await stage.post(`${path}/restock`, { quantity: 7 }, admin.token);
      await stage.post(`${path}/restock`, { quantity: 7 }, token);
      await stage.post(`${path}/correct`, { delta: -3, reason: "three broken" }, admin.token);
      await stage.post(`${path}/correct`, { delta: -10, reason: "more than there are" }, admin.token);
      await stage.post(`${path}/correct`, { delta: -1, reason: "no admin" }, token);
      await stage.call({ method: "PATCH", path: `/products/${ABSENT}`, body: { price_cents: 1 }, token: admin.token });
      await stage.post(`/products/${ABSENT}/restock`, { quantity: 1 }, admin.token);
      await stage.get(`/products/${ABSENT}`);
    },
  },
  {
    name: "products: retries with a key",
    async run(stage) {
      const { token } = await stage.admin();
      const key = (value: string) => ({ "idempotency-key": value });
      const mug = { name: "Mug", price_cents: 900, stock: 3 };
      const added = await stage.post("/products", mug, token, key("add a mug"));
      await stage.post("/products", mug, token, key("add a mug"));
      await stage.post("/products", { ...mug, stock: 4 }, token, key("add a mug"));
      const restock = `/products/${(added.body as { id: string }).id}/restock`;
      await stage.post(restock, { quantity: 2 }, token, key("two more"));
      await stage.post(restock, { quantity: 2 }, token, key("two more"));
      await stage.post(restock, { quantity: 3 }, token, key("two more"));
      const correct = restock.replace("restock", "correct");
      await stage.post(correct, { delta: -1, reason: "broken" }, token, key("one less"));
      await stage.post(correct, { delta: -1, reason: "broken" }, token, key("one less"));
      await stage.post(correct, { delta: -1, reason: "lost" }, token, key("one less"));
      await stage.post("/products", { ...mug, price_cents: -1 }, token, key("a failure is not kept"));
      await stage.post("/products", mug, token, key("a failure is not kept"));
      await stage.get(restock.replace("/restock", ""));
    },
  },
  {
    name: "products: search, orders, what is not for sale",
    async run(stage) {
      const admin = await stage.admin();
      const { token } = await register(stage.quiet, "hedy");
      const add = (name: string, price_cents: number) =>
        stage.quiet.post("/products", { name, description: "Searched for", price_cents, stock: 1 }, admin.token);
      const names = ["Quince jelly", "quince tart", 'Quincé "pie"'];
      for (const [index, name] of names.entries()) await add(name, 100 - index);
      const gone = (await add("Quince, off", 7)).body as { id: string };
      await stage.quiet.call({
        method: "PATCH",
        path: `/products/${gone.id}`,
        body: { active: false },
        token: admin.token,
      });
      for (const sort of ["newest", "price", "-price", "name", "-name"]) {
        let next: string | null = "";
        while (next !== null) {
          const query: string = `q=quince&sort=${sort}&limit=2${next === "" ? "" : `&cursor=${next}`}`;
          next = ((await stage.get(`/products?${query}`)).body as { next_cursor: string | null }).next_cursor;
        }
        await stage.get(`/products?limit=3&sort=${sort}`);
      }
      for (const q of ["tart%20qui", "%22", "pie*%20OR%20(", "nothing-like-it", "", "x".repeat(201)]) {
        await stage.get(`/products?q=${q}`);
      }
      for (const query of ["sort=colour", "sort=price&cursor=MQ", "q=a&q=b", "active=maybe"]) {
        await stage.get(`/products?${query}`);
      }
      for (const active of ["true", "false", "all"]) {
        await stage.get(`/products?q=quince&active=${active}`);
        await stage.get(`/products?q=quince&active=${active}`, token);
        await stage.get(`/products?q=quince&active=${active}`, admin.token);
      }
    },
  },
  {
    name: "products: pages",
    async run(stage) {
      let next: string | null = "";
      while (next !== null) {
        const query: string = next === "" ? "" : `&cursor=${next}`;
        next = ((await stage.get(`/products?limit=4${query}`)).body as { next_cursor: string | null }).next_cursor;
      }
      await stage.get("/products");
    },
  },
];
