import { type Answer, bodyOf } from "../support/api.ts";
import { readState } from "../support/databases.ts";
import { assertFaults, assertProblem, fail } from "./expectations.ts";
import { request, sendRaw } from "./raw.ts";
import { type Row, tryAll } from "./row.ts";
import type { Target } from "./target.ts";

const ABSENT = "01890000-0000-7000-8000-000000000000";

/** Rows on paths, bodies and queries. */
export const inputRows: readonly Row[] = [
  {
    input: "//evil, %2e%2e, %2f, %5c, %00, %zz in a path",
    answer: "400 invalid-path",
    run: ({ doors }) =>
      tryAll(
        doors.flatMap(({ url }) => BAD_PATHS.map((path) => ({ url, path }))),
        async ({ url, path }) => {
          assertProblem(path, await sendRaw(url, request(`GET ${path}`)), "400 invalid-path");
        },
      ),
  },
  {
    input: "a body that is not application/json (UTF-8)",
    answer: "415",
    run: (target) =>
      atEveryWrite(target, MEDIA_TYPES, async (what, send, headers) => {
        assertProblem(what, await send("{}", headers), "415 unsupported-media-type");
      }),
  },
  {
    input: "broken or empty JSON, bad UTF-8, members twice, nesting",
    answer: "400 invalid-json",
    run: (target) =>
      atEveryWrite(target, NOT_JSON, async (what, send, body) => {
        assertProblem(what, await send(body, {}), "400 invalid-json");
      }),
  },
  {
    input: "values, types and members that are not the schema's",
    answer: "422 with pointers, state unchanged",
    async run(target) {
      const before = await stateOf(target);
      const { alice, admin, product, api } = target;
      const order = (body: string) => api.post("/orders", body, alice.token);
      let count = await tryAll(["null", "[]", "5", '"x"', "true"], async (body) => {
        assertFaults(body, await order(body), "body ");
      });
      count += await tryAll(BAD_QUANTITIES, async (quantity) => {
        const answer = await order(`{"product_id":"${product}","quantity":${quantity}}`);
        assertFaults(`quantity ${quantity}`, answer, "body /quantity");
      });
      count += await tryAll(EXTRA_MEMBERS, async (member) => {
        const answer = await order(`{"product_id":"${product}","quantity":1,"${member}":{"polluted":true}}`);
        assertFaults(`member ${member}`, answer, `body /${member}`);
        const line = await order(`{"items":[{"product_id":"${product}","quantity":1,"${member}":{"polluted":true}}]}`);
        assertFaults(`member ${member} of a line`, line, `body /items/0/${member}`);
      });
      count += await tryAll(BAD_NAMES, async (name) => {
        const answer = await api.post("/products", `{"name":${name},"price_cents":1,"stock":1}`, admin.token);
        assertFaults(`name ${name.slice(0, 20)}`, answer, "body /name");
        const user = `{"name":${name},"email":"x@example.org","password":"a password of mine"}`;
        assertFaults(`name ${name.slice(0, 20)}`, await api.post("/users/register", user), "body /name");
      });
      const role = '{"name":"X","email":"y@example.org","password":"a password of mine","role":"admin"}';
      assertFaults("role", await api.post("/users/register", role), "body /role");
      const after = await stateOf(target);
      if (after !== before) throw new Error("the state has changed");
      if ("polluted" in {}) throw new Error("this process is polluted");
      return count + 1;
    },
  },
  {
    input: "a body within the limit that is larger when it is written anew",
    answer: "422, whoever writes it anew",
    async run({ api, alice, product }) {
      const numbers = `[${Array(18_000).fill("1e20").join(",")}]`;
      const body = `{"product_id":"${product}","quantity":1,"numbers":${numbers}}`;
      assertFaults("alone", await api.post("/orders", body, alice.token), "body /numbers");
      const together = await Promise.all(Array.from({ length: 40 }, () => api.post("/orders", body, alice.token)));
      return 1 + (await tryAll(together, async (answer) => assertFaults("together", answer, "body /numbers")));
    },
  },
  {
    input: "limit=0, -1, 1e9, twice; a forged cursor; a strange parameter",
    answer: "422 validation-failed, in: query",
    run: ({ api, admin }) =>
      tryAll(
        Object.entries(BAD_QUERIES).flatMap(([query, place]) =>
          ["/products", "/orders", "/users"].map((path) => ({ path: `${path}?${query}`, place })),
        ),
        async ({ path, place }) => assertFaults(path, await api.get(path, admin.token), `query /${place}`),
      ),
  },
  {
    input: "a body where none is expected, strange parameters of a POST",
    answer: "422 validation-failed",
    async run({ api, alice, order }) {
      assertFaults("cancel", await api.post(`/orders/${order}/cancel`, "[]", alice.token), "body ");
      const body = { method: "GET", path: "/products", body: '{"limit":1}' };
      assertFaults("list", await api.call(body), "body ");
      assertFaults("query", await api.post("/orders?x=1", { quantity: 1 }, alice.token), "query /x");
      return 3;
    },
  },
  {
    input: "Idempotency-Key of 0, of 256 characters, not ASCII, twice",
    answer: "422 · 400",
    async run({ api, alice, doors: [gateway] }) {
      const order = { product_id: ABSENT, quantity: 1 };
      for (const key of ["", "k".repeat(256), "clé"]) {
        const answer = await api.post("/orders", order, alice.token, { "idempotency-key": key });
        assertFaults(`key ${key}`, answer, "header /Idempotency-Key");
      }
      const twice = ["Idempotency-Key: a", "Idempotency-Key: b"];
      const answer = await sendRaw(gateway?.url ?? "", request("POST /orders", twice));
      assertProblem("two keys", answer, "400 malformed-request");
      return 4;
    },
  },
  {
    input: "Prefer, If-None-Match, traceparent, X-Request-Id of nonsense",
    answer: "ignored",
    async run({ api, alice, order }) {
      const nonsense = [
        "wait=x",
        "wait=-1",
        "wait=",
        "wait=1e3",
        "=",
        ";;;",
        "respond-async, wait=0;x",
        "a".repeat(900),
      ];
      return tryAll(nonsense, async (text) => {
        const headers = { prefer: text, "if-none-match": text, traceparent: text, "x-request-id": text };
        const answer = await api.get(`/orders/${order}`, alice.token, headers);
        if (answer.status !== 200) fail(text, "200", answer);
      });
    },
  },
];

const BAD_PATHS = [
  "//evil",
  "//evil.example/products",
  "/products//x",
  "/%2e%2e/livez",
  "/products/../livez",
  "/products/%2E%2e",
  "/./livez",
  "/products%2fx",
  "/products%5cx",
  "/%00",
  "/products/%0d%0aX:y",
  "/%zz",
  "/%",
  "/products/%c3%28",
  "/livez#x",
  "/<script>",
];

const MEDIA_TYPES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  text: { "content-type": "text/plain" },
  form: { "content-type": "application/x-www-form-urlencoded" },
  "nothing said": { "content-type": "" },
  "another charset": { "content-type": "application/json; charset=latin1" },
  "another parameter": { "content-type": "application/json; version=1" },
  "a list": { "content-type": "application/json, text/plain" },
  compressed: { "content-type": "application/json", "content-encoding": "gzip" },
};

const NOT_JSON: Readonly<Record<string, string | Buffer>> = {
  "half an object": '{"a":',
  "a comma too many": '{"a":1,}',
  "single quotes": "{'a':1}",
  NaN: '{"a":NaN}',
  "more after it": "{}{}",
  "bad UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
  "over-long UTF-8": Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
  "UTF-16": Buffer.from('{"a":1}', "utf16le"),
  "a byte order mark": "\ufeff{}",
  "a member twice": '{"quantity":1,"quantity":2}',
  "a member twice, once escaped": '{"quantity":1,"qu\\u0061ntity":2}',
  "33 levels": `${"[".repeat(33)}${"]".repeat(33)}`,
  "50,000 levels": "[".repeat(50_000),
};

const BAD_QUANTITIES = [
  ...["0", "-1", "1.5", '"5"', "1e400", "-1e400", "9007199254740993", "1e21", "true", "null", "[1]", "{}", "1001"],
];

const EXTRA_MEMBERS = [
  "role",
  "price_cents",
  "status",
  "total_cents",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
];

const BAD_NAMES = ['"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', `"${"x".repeat(101)}"`, '""', "5", "null", '["a"]'];

const BAD_QUERIES: Readonly<Record<string, string>> = {
  "limit=0": "limit",
  "limit=-1": "limit",
  "limit=1e9": "limit",
  "limit=101": "limit",
  "limit=": "limit",
  "limit=1&limit=2": "limit",
  "limit[]=1": "limit[]",
  "cursor=x": "cursor",
  [`cursor=${ABSENT}`]: "cursor",
  "cursor=": "cursor",
  "__proto__=x": "__proto__",
  "order_by=id%3BDROP%20TABLE%20users": "order_by",
};

type Send = (body: string | Buffer, headers: Readonly<Record<string, string>>) => Promise<Answer>;

/** Every way at every door, by an operation there that takes a body. */
async function atEveryWrite<T>(
  { doors }: Target,
  ways: Readonly<Record<string, T>>,
  attempt: (what: string, send: Send, way: T) => Promise<void>,
): Promise<number> {
  const all = doors.flatMap((door) => Object.entries(ways).map(([name, way]) => ({ door, name, way })));
  return tryAll(all, async ({ door: { name: where, url, write }, name, way }) => {
    const send: Send = async (body, headers) => {
      const { token } = write;
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const all = { "content-type": "application/json", ...authorization, ...headers };
      const answer = await fetch(url + write.path, {
        method: "POST",
        headers: all,
        body: new Uint8Array(Buffer.from(body)),
      });
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() };
    };
    await attempt(`${name} at ${where}`, send, way);
  });
}

/** All rows of all modules but those that a mere look may change. */
async function stateOf({ shop, api, product }: Target): Promise<string> {
  await shop.settled();
  bodyOf(await api.get(`/products/${product}`));
  return JSON.stringify(await readState(await shop.look()));
}
