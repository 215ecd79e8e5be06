import { randomUUID } from "node:crypto";
import { forgeries } from "../parity/tokens.ts";
import { allOrders, bodyOf, type OrderBody, register } from "../support/api.ts";
import { assertProblem, assertSameBytes, fail } from "./expectations.ts";
import { type Row, tryAll } from "./row.ts";
import type { Target } from "./target.ts";

const ABSENT = "01890000-0000-7000-8000-000000000000";
const HOUR_SECONDS = 3_600;

/** Rows on who somebody is, and what is theirs. */
export const identityRows: readonly Row[] = [
  {
    input: "no token",
    answer: "401 unauthenticated",
    run: ({ doors, api }) =>
      tryAll(doors, async ({ url }) => {
        for (const path of protectedPaths(url, doors)) {
          assertProblem(path, await api.get(path), "401 unauthenticated");
          const direct = await fetch(url + path);
          if (direct.status !== 401) throw new Error(`${url}${path} answered ${direct.status}`);
        }
      }),
  },
  {
    input: "alg none, HS256, unknown kid, jku, crit, no exp, expired, nbf, iss, aud",
    answer: "401 invalid-token",
    run: (target) =>
      tryAll(
        target.doors.flatMap((door) =>
          Object.entries(badTokens(target)).map(([name, token]) => ({ door, name, token })),
        ),
        async ({ door, name, token }) => {
          const [path = ""] = protectedPaths(door.url, target.doors);
          const answer = await fetch(door.url + path, { headers: { authorization: token } });
          const headers = Object.fromEntries(answer.headers);
          const whole = { status: answer.status, headers, body: await answer.json() };
          assertProblem(`${name} at ${door.name}`, whole, "401 invalid-token");
        },
      ),
  },
  {
    input: "another scheme, such as a proxy's Basic, or none",
    answer: "401 unauthenticated: there is no token",
    run: (target) =>
      tryAll(
        target.doors.flatMap((door) =>
          ["Basic YTpi", target.alice.token].map((authorization) => ({ door, authorization })),
        ),
        async ({ door, authorization }) => {
          const [path = ""] = protectedPaths(door.url, target.doors);
          const answer = await fetch(door.url + path, { headers: { authorization } });
          const headers = Object.fromEntries(answer.headers);
          const whole = { status: answer.status, headers, body: await answer.json() };
          assertProblem(`${authorization} at ${door.name}`, whole, "401 unauthenticated");
        },
      ),
  },
  {
    input: "another customer's order or user",
    answer: "404, the same bytes as a missing one",
    async run({ api, alice, bob, order }) {
      const pairs = [
        [`/orders/${order}`, `/orders/${ABSENT}`],
        [`/users/${alice.id}`, `/users/${ABSENT}`],
      ] as const;
      for (const [theirs, missing] of pairs) {
        const answer = await api.get(theirs, bob.token);
        assertProblem(theirs, answer, "404 not-found");
        assertSameBytes(theirs, answer, await api.get(missing, bob.token));
      }
      const answer = await api.post(`/orders/${order}/cancel`, undefined, bob.token);
      assertProblem("cancel", answer, "404 not-found");
      assertSameBytes("cancel", answer, await api.post(`/orders/${ABSENT}/cancel`, undefined, bob.token));
      return 3;
    },
  },
  {
    input: "a customer adds a product, orders for another, lists another's",
    answer: "403 forbidden",
    async run({ api, alice, bob, product }) {
      const tries = [
        api.post("/products", { name: "x", price_cents: 1, stock: 1 }, bob.token),
        api.post("/orders", { user_id: alice.id, product_id: product, quantity: 1 }, bob.token),
        api.get(`/orders?user_id=${alice.id}`, bob.token),
        api.get("/users", bob.token),
      ];
      return tryAll(await Promise.all(tries), async (answer) => assertProblem("customer", answer, "403 forbidden"));
    },
  },
  {
    input: "an unknown e-mail, a wrong password",
    answer: "401 invalid-credentials, same bytes",
    async run({ api }) {
      const login = (email: string) => api.post("/users/login", { email, password: "not the password" });
      const known = await login("alice@example.org");
      const unknown = await login("nobody@example.org");
      assertProblem("known", known, "401 invalid-credentials");
      assertSameBytes("unknown", unknown, known);
      return 2;
    },
  },
  {
    input: "many failures for one account from many addresses",
    answer: "429 too-many-attempts",
    async run({ api }) {
      await register(api, "victim");
      const login = (address: number, password: string) =>
        api.post("/users/login", { email: "victim@example.org", password }, undefined, {
          "x-forwarded-for": `203.0.113.${address}`,
        });
      // The wait is a second at first, and doubles: a machine that stands still may have let it pass.
      let answer = await login(0, "not the password");
      for (let at = 1; at < 20 && answer.status === 401; at++) answer = await login(at, "not the password");
      assertProblem("one of the next", answer, "429 too-many-attempts");
      return 5;
    },
  },
  {
    input: "X-User-Id, X-Role, X-Timeout-Ms, X-HTTP-Method-Override, Connection: x-request-id",
    answer: "without effect",
    async run({ api, alice, admin }) {
      const forged = {
        "x-user-id": admin.id,
        "x-role": "admin",
        "x-timeout-ms": "0",
        "x-http-method-override": "DELETE",
        "x-original-url": "/users",
        connection: "keep-alive, x-request-id, authorization",
        "x-request-id": "of-mine",
      };
      assertProblem("users", await api.get("/users", alice.token, forged), "403 forbidden");
      const me = await api.get("/users/me", alice.token, forged);
      const { id, role } = bodyOf<{ id: string; role: string }>(me);
      if (id !== alice.id || role !== "customer") fail("me", "Alice, a customer", me);
      if (me.headers["x-request-id"] !== "of-mine") fail("me", "the client's request id", me);
      assertProblem("anonymous", await api.get("/users/me", undefined, forged), "401 unauthenticated");
      return 3;
    },
  },
  {
    input: "Idempotency-Key with another body · of another user · while the first runs",
    answer: "422 · independent · 409 or replayed",
    async run({ api, alice, bob, product }) {
      const key = { "idempotency-key": randomUUID() };
      const order = { product_id: product, quantity: 1 };
      const first = bodyOf<OrderBody>(await api.post("/orders", order, alice.token, key));
      const other = await api.post("/orders", { ...order, quantity: 2 }, alice.token, key);
      assertProblem("another body", other, "422 idempotency-key-reused");
      const bobs = bodyOf<OrderBody>(await api.post("/orders", order, bob.token, key));
      if (bobs.id === first.id) throw new Error("a key is shared between users");
      const carol = await register(api, "carol");
      const same = { "idempotency-key": randomUUID() };
      const all = await Promise.all(Array.from({ length: 20 }, () => api.post("/orders", order, carol.token, same)));
      for (const answer of all) if (answer.status !== 201) assertProblem("at once", answer, "409 request-in-progress");
      const placed = await allOrders(api, carol);
      if (placed.length !== 1) throw new Error(`${placed.length} orders of one key`);
      return 22;
    },
  },
];

/** What needs a signed-in user at this door. */
function protectedPaths(url: string, doors: Target["doors"]): readonly string[] {
  const name = doors.find((door) => door.url === url)?.name;
  if (name === "users") return ["/users/me", `/users/${ABSENT}`, "/users"];
  if (name === "orders") return ["/orders", `/orders/${ABSENT}`];
  if (name === "products") return ["/events/dead-letters"];
  return ["/users/me", "/users", "/orders", `/orders/${ABSENT}`];
}

function badTokens({ alice, sign }: Target): Readonly<Record<string, string>> {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const tokens = {
    ...forgeries(alice.token),
    "no exp": sign({ exp: undefined }),
    expired: sign({ exp: nowSeconds - 1 }),
    "not yet": sign({ nbf: nowSeconds + HOUR_SECONDS }),
    "another issuer": sign({ iss: "somebody" }),
    "another audience": sign({ aud: "somebody" }),
    "no subject": sign({ sub: undefined }),
    "an unknown role": sign({ role: "root" }),
    "two audiences of which none": sign({ aud: ["a", "b"] }),
    "another type": sign({}, { header: { typ: "at+jwt" } }),
    "a key in the header": sign({}, { header: { jwk: {} } }),
  };
  const bearer = Object.entries(tokens).map(([name, token]) => [name, `Bearer ${token}`]);
  return {
    ...Object.fromEntries(bearer),
    "no token after the scheme": "Bearer",
    "two tokens": `Bearer ${alice.token} ${alice.token}`,
  };
}
