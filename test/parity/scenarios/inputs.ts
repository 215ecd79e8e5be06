import { register } from "../../support/api.ts";
import type { Scenario } from "../scenario.ts";

const ABSENT = "018f0000-0000-7000-8000-000000000000";
const LONG = "x".repeat(101);

const BAD_USERS: readonly unknown[] = [
  {},
  { name: "", email: "no address", password: "short" },
  { name: LONG, email: `${"a".repeat(250)}@example.org`, password: "x".repeat(1_001) },
  { name: " \u200b\u3000", email: "blank@example.org", password: "long enough to do" },
  { name: "A\u202eda", email: "turned@example.org", password: "long enough to do" },
  { name: "A", email: "a@-example.org", password: "long enough to do" },
  { name: "N\u0000", email: "nul@example.org", password: "long enough to do" },
  { name: "A", email: "weak@example.org", password: "password1234" },
  { name: "A", email: "weak@example.org", password: "short" },
  { name: "A", email: "weak@example.org", password: "ü".repeat(40) },
  { name: "A", email: "role@example.org", password: "long enough to do", role: "admin" },
  { name: 5, email: ["a@example.org"], password: null },
  null,
  [],
  7,
  "text",
];

const BAD_PRODUCTS: readonly unknown[] = [
  {},
  { name: "P", price_cents: -1, stock: 1 },
  { name: "P", price_cents: 1.5, stock: "5" },
  { name: "P", price_cents: 100_000_001, stock: 1_000_000_001 },
  { name: "P", price_cents: 1, stock: 1, currency: "usd" },
  { name: "P", price_cents: 1, stock: 1, currency: "ZZZ" },
  { name: "P", price_cents: 1_000_000_000_001, stock: 1, currency: "IDR" },
  { name: "P", price_cents: 1, stock: 1, id: ABSENT, active: false },
];

const BAD_ORDERS: readonly unknown[] = [
  {},
  { product_id: ABSENT },
  { quantity: 1 },
  { product_id: ABSENT, quantity: 0 },
  { product_id: ABSENT, quantity: -1 },
  { product_id: ABSENT, quantity: 1.5 },
  { product_id: ABSENT, quantity: "5" },
  { product_id: ABSENT, quantity: 1_001 },
  { product_id: "no id", quantity: 1 },
  { product_id: ABSENT, quantity: 1, price_cents: 1 },
  { product_id: ABSENT, quantity: 1, status: "confirmed" },
  { items: [] },
  { items: [{ product_id: ABSENT }] },
  { items: [{ product_id: ABSENT, quantity: 1, price_cents: 1 }] },
  { items: Array.from({ length: 51 }, () => ({ product_id: ABSENT, quantity: 1 })) },
  { items: [{ product_id: ABSENT, quantity: 1 }], product_id: ABSENT, quantity: 1 },
  { user_id: "me", product_id: ABSENT, quantity: 1 },
];

/** Sent as they are. */
const BAD_BODIES: readonly string[] = [
  "",
  "{",
  '{"product_id":1,"product_id":2}',
  '{"quantity":1e400}',
  '{"quantity":9007199254740993}',
  '{"__proto__":{"quantity":1}}',
  '{"constructor":1}',
  '{"name":"\\ud800"}',
  `${'{"a":'.repeat(40)}1${"}".repeat(40)}`,
  "\ufeff{}",
  "null",
];

export const inputs: readonly Scenario[] = [
  {
    name: "bodies that are not valid",
    async run(stage) {
      const { token } = await register(stage.quiet, "carol");
      const admin = await stage.admin();
      for (const body of BAD_USERS) await stage.post("/users/register", JSON.stringify(body));
      for (const body of BAD_USERS.slice(0, 2)) await stage.post("/users/login", JSON.stringify(body));
      for (const body of BAD_PRODUCTS) await stage.post("/products", JSON.stringify(body), admin.token);
      for (const body of BAD_ORDERS) {
        await stage.post("/orders", JSON.stringify(body), token);
        await stage.post("/orders/create", JSON.stringify(body), token);
      }
      for (const body of BAD_BODIES) {
        await stage.post("/orders", body, token);
        await stage.post("/users/register", body);
      }
      await stage.call({ method: "PATCH", path: `/products/${ABSENT}`, body: { stock: 5 }, token: admin.token });
      await stage.post(`/products/${ABSENT}/restock`, { quantity: 0 }, admin.token);
    },
  },
  {
    name: "media types and sizes",
    async run(stage) {
      const { token } = await register(stage.quiet, "dave");
      const body = JSON.stringify({ product_id: ABSENT, quantity: 1 });
      for (const type of ["text/plain", "application/json; charset=latin1", "multipart/form-data"]) {
        await stage.post("/orders", body, token, { "content-type": type });
      }
      await stage.post("/orders", body, token, { "content-type": "application/json; charset=UTF-8" });
      await stage.post("/orders", body, token, { "content-type": "application/json", "content-encoding": "gzip" });
      await stage.call({ method: "POST", path: "/orders", token });
      await stage.post("/orders", JSON.stringify({ product_id: ABSENT, more: "x".repeat(101 * 1024) }), token);
      await stage.post("/orders", JSON.stringify({ product_id: ABSENT, more: "x".repeat(99 * 1024) }), token);
      await stage.post(`/orders/${ABSENT}/cancel`, "{}", token);
    },
  },
  {
    name: "queries, paths and headers that are not valid",
    async run(stage) {
      const { token } = await register(stage.quiet, "erin");
      const queries = [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=1e9",
        "limit=ten",
        "limit=1&limit=2",
        "cursor=x",
        "cursor=",
        "page=2",
      ];
      for (const query of queries) {
        await stage.get(`/products?${query}`);
        await stage.get(`/orders?${query}`, token);
      }
      await stage.get("/orders?status=lost", token);
      await stage.get("/orders?user_id=me", token);
      await stage.get("/orders/1", token);
      await stage.get("/products/1");
      await stage.get("/users/1", token);
      const order = { product_id: ABSENT, quantity: 1 };
      for (const key of ["k".repeat(256), "", "k k", "k".repeat(255)]) {
        await stage.post("/orders", order, token, { "idempotency-key": key });
      }
      for (const prefer of ["wait=x", "wait=-1", "wait=99999999999", "respond-async", 'wait="0"; strict']) {
        await stage.get(`/orders/${ABSENT}`, token, { prefer });
      }
    },
  },
  {
    name: "paths and methods",
    async run(stage) {
      const paths = [
        "/nothing",
        "/users/",
        "/orders/create",
        "//evil",
        "/a/%2e%2e/b",
        "/a%2fb",
        "/%00",
        "/%zz",
        "/products/%",
        "/.calls",
      ];
      for (const path of paths) await stage.get(path);
      for (const method of ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "HEAD"]) {
        for (const path of ["/orders", "/products", "/users/login", "/nothing"]) await stage.call({ method, path });
      }
      await stage.post("/.calls", { calls: [] });
      await stage.get("/users/register");
      await stage.get("/users/login");
    },
  },
  {
    name: "documents, probes and identity of requests",
    async run(stage) {
      for (const path of ["/livez", "/readyz", "/healthz", "/openapi.json"]) await stage.get(path);
      for (const id of ["an-id-of-mine.7", "x".repeat(300), "a b", "ünicode"].slice(0, 3)) {
        await stage.get("/nothing", undefined, { "x-request-id": id });
      }
      const { token } = await register(stage.quiet, "frank");
      const forged = {
        "x-user-id": ABSENT,
        "x-role": "admin",
        connection: "keep-alive, x-request-id",
        "x-request-id": "kept",
      };
      await stage.get("/users", token, forged);
      await stage.get("/users/me", token, forged);
    },
  },
];
