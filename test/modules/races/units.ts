import { readdirSync, readFileSync } from "node:fs";
import { Problem } from "../../../src/base/problem.ts";
import type { Claim } from "../../../src/contract/claim.ts";
import {
  acknowledgeRelease,
  cancelOrder,
  confirmOrder,
  type Order,
  rejectOrder,
} from "../../../src/modules/orders/order.ts";
import { createOrderStore } from "../../../src/modules/orders/store.ts";
import { createProduct, type Product } from "../../../src/modules/products/product.ts";
import { createProductStore } from "../../../src/modules/products/store.ts";
import { createFailureRows } from "../../../src/modules/users/attempts/failure-rows.ts";
import { createKeyStore } from "../../../src/modules/users/keys/key-store.ts";
import type { Exchange } from "../../../src/modules/users/sessions/session-rows.ts";
import { createUserStore, type IssuedToken } from "../../../src/modules/users/store.ts";
import type { Account } from "../../../src/modules/users/user.ts";
import { postgresMigrationsOf } from "../../../src/runtime/database-files.ts";
import type { ModuleName } from "../../../src/runtime/modules.ts";
import { createCursors } from "../../../src/store/cursors.ts";
import { sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Unit, Work } from "../../../src/store/unit.ts";
import { NOW_MS, type Racer } from "./arena.ts";

/** The units of work of a module, on rows that they have in common. */
export interface Units {
  /** What is there before. */
  readonly fill: Racer;
  /** By what each does. */
  readonly units: Readonly<Record<string, Racer>>;
  /** The methods of its stores of which each is one unit of work, or more: all but those that only read. */
  readonly methods: readonly string[];
  /** The stores whose methods these are. */
  readonly stores: (store: Store) => readonly object[];
}

const NOW = new Date(NOW_MS).toISOString();
const LATER = new Date(NOW_MS + 60_000).toISOString();
const BEFORE = new Date(NOW_MS - 60_000).toISOString();
const inTime = () => {};

/** What the engine has beside a module's tables, as far as units of work use it. */
const OWN_TABLES = `
  CREATE TABLE appended (type TEXT, subject TEXT);
  CREATE TABLE answers (
    id BIGINT, principal TEXT, key TEXT, fingerprint TEXT, answer TEXT, kept_at_ms BIGINT, person TEXT,
    UNIQUE (principal, key)
  );
  CREATE TABLE dead_letters (
    id TEXT COLLATE "C" PRIMARY KEY, publisher TEXT, epoch TEXT, seq BIGINT, event TEXT, error TEXT, attempts INTEGER, failed_at TEXT
  );`;

/** The tables of a module. */
export function schemaOf(name: ModuleName): string {
  const folder = postgresMigrationsOf(name);
  const files = readdirSync(folder).sort();
  return [OWN_TABLES, ...files.map((file) => readFileSync(new URL(file, folder), "utf8"))].join("\n");
}

function claim(key: string, fingerprint: string): Claim {
  return { principal: "ada", key, fingerprint };
}

function order(id: string, status: Order["status"] = "pending"): Order {
  const items = [{ product_id: "a", name: "A", quantity: 1, unit_price_cents: 1, line_total_cents: 1 }];
  const times = { created_at: NOW, updated_at: NOW };
  return { id, user_id: "ada", status, items, total_cents: 1, currency: "EUR", rejection: null, ...times };
}

const event = (type: string, subject: string) => ({ type, subject, data: {} });
const rejection = { reason: "insufficient-stock", product_id: "a" } as const;

function placing(id: string, used?: Claim): Racer {
  return (store) => createOrderStore(store).place(order(id), event("order.created", id), used, inTime);
}

function cancelling(id: string): Racer {
  const cancelled = event("order.cancelled", id);
  return (store) => createOrderStore(store).cancel(id, (order) => cancelOrder(order, LATER), cancelled, inTime, inTime);
}

type Rule = Parameters<ReturnType<typeof createOrderStore>["settle"]>[2];

function settling(id: string, rule: Rule): Racer {
  return (store) => store.write((unit) => createOrderStore(store).settle(unit, id, rule));
}

const confirm: Rule = (order) => confirmOrder(order, LATER);
const reject: Rule = (order) => rejectOrder(order, rejection, LATER);

const orders: Units = {
  async fill(store) {
    await placing("o1")(store);
    await placing("o2")(store);
    await settling("o2", confirm)(store);
  },
  units: {
    "place an order": placing("o3", claim("k1", "f1")),
    "place it again, with the same key": placing("o4", claim("k1", "f1")),
    "cancel a pending order": cancelling("o1"),
    "confirm it": settling("o1", confirm),
    "reject it": settling("o1", reject),
    "acknowledge its release": settling("o1", acknowledgeRelease),
    "cancel a confirmed order": cancelling("o2"),
  },
  methods: ["place", "cancel", "settle"],
  stores: (store) => [createOrderStore(store)],
};

function product(id: string, stock: number): Product {
  return createProduct(id, { name: id, description: "", price_cents: 1, currency: "EUR", stock }, NOW);
}

function adding(delta: number): Racer {
  const rule = (product: Product) => {
    if (product.stock + delta < 0) throw new Problem("forbidden", "There is less.");
    return { ...product, stock: product.stock + delta, updated_at: LATER };
  };
  const how = { begin: inTime, movement: { reason: "corrected", note: "counted" }, claim: claim("k1", "f1") } as const;
  return (store) => createProductStore(store).change("a", rule, how);
}

const withdrawing: Racer = (store) =>
  createProductStore(store).change("b", (product) => ({ ...product, active: false }), { begin: inTime });

/** As products do with an `order.created`. */
function reserving(orderId: string, ...lines: Lines): Racer {
  return (store) => store.write((unit) => reserve(store, unit, orderId, lines));
}

type Lines = readonly (readonly [product: string, quantity: number])[];

function* reserve(store: Store, unit: Unit, orderId: string, lines: Lines): Work<void> {
  const items = lines.map(([product_id, quantity]) => ({ product_id, quantity }));
  const decision = yield* createProductStore(store).reserve(unit, orderId, items, LATER);
  if (decision === undefined) return;
  yield* unit.append(event(`stock.${decision === "reserved" ? "reserved" : "rejected"}`, orderId));
}

/** As products do with an `order.cancelled`. */
function releasing(orderId: string): Racer {
  return (store) =>
    store.write(function* (unit) {
      if (yield* createProductStore(store).release(unit, orderId, LATER))
        yield* unit.append(event("stock.released", orderId));
    });
}

const cursorsOf = (store: Store) => createCursors({ ...store, now: () => NOW_MS });

/** As is done with a dead letter that is replayed: an `order.created` of this id. */
function replaying(orderId: string, ...lines: Lines): Racer {
  return (store) =>
    store.write(function* (unit) {
      const letter = yield* cursorsOf(store).unbury(unit, "letter");
      if (letter !== undefined) yield* reserve(store, unit, orderId, lines);
      return letter;
    });
}

const DEMO = [product("d1", 1), product("d2", 1)];

const products: Units = {
  async fill(store) {
    for (const each of [product("a", 5), product("b", 5), product("c", 1)]) {
      await createProductStore(store).add(each, undefined, inTime);
    }
    await reserving("held", ["b", 2], ["a", 1])(store);
    await store.write(function* (unit) {
      yield* unit.run(sql`INSERT INTO dead_letters VALUES ('letter', 'orders', 'epoch', 1, '{}', 'poison', 5, ${NOW})`);
    });
  },
  units: {
    "add a product": (store) => createProductStore(store).add(product("d1", 1), claim("k1", "f1"), inTime),
    "add the demo's": (store) => createProductStore(store).addIfEmpty(DEMO),
    "correct a stock": adding(-3),
    "withdraw a product": withdrawing,
    "reserve an order": reserving("o1", ["b", 2], ["a", 2], ["c", 1]),
    "reserve it again": reserving("o1", ["b", 2], ["a", 2], ["c", 1]),
    "reserve another": reserving("o2", ["c", 1], ["a", 2], ["b", 1]),
    "replay it from its dead letter": replaying("o1", ["c", 1], ["b", 2]),
    "discard that letter": (store) => store.write((unit) => cursorsOf(store).unbury(unit, "letter")),
    "have it fail again": (store) => store.write((unit) => cursorsOf(store).failAgain(unit, "letter", "poison")),
    "release an order": releasing("o1"),
    "release one that holds stock": releasing("held"),
    "release it again": releasing("held"),
  },
  methods: ["add", "addIfEmpty", "change", "reserve", "release"],
  stores: (store) => [createProductStore(store)],
};

function account(id: string, role: Account["role"] = "customer", email = `${id}@example.com`): Account {
  return { id, name: id, email, role, password_hash: "$2b$04$old", created_at: NOW };
}

function token(handleHash: string, tokenHash: string, expiresAt = LATER): IssuedToken {
  return { hashes: { handleHash, tokenHash }, expiresAt, now: NOW };
}

const userStore = (store: Store) =>
  createUserStore(
    store,
    () => 0,
    () => NOW_MS,
  );
const ADA = account("ada");

function signingIn(handleHash: string, rehashed?: string): Racer {
  return (store) => userStore(store).beginSession(ADA, token(handleHash, `first of ${handleHash}`), rehashed, inTime);
}

function exchanging(next: string, keyHash?: string): Racer {
  const exchange: Exchange = {
    presented: { handleHash: "s1", tokenHash: "t1" },
    next: { handleHash: "s1", tokenHash: next },
    keyHash,
    expiresAt: new Date(NOW_MS + 120_000).toISOString(),
    now: NOW,
  };
  return (store) => userStore(store).exchangeToken(exchange, inTime);
}

const key = (kid: string) => ({ kid, private_key: "secret", signs_from: NOW });

function failing(lane: string): Racer {
  return (store) => createFailureRows(store).add(lane, NOW_MS, (count) => count * 1_000);
}

const users: Units = {
  async fill(store) {
    const kept = userStore(store);
    for (const admin of ["bob", "cyd"]) await kept.add(account(admin, "admin"), inTime);
    await kept.add(ADA, inTime, token("s1", "t1"));
    await kept.beginSession(ADA, token("s2", "u1"), undefined, inTime);
    // Both have expired when somebody signs in.
    await kept.beginSession(account("bob", "admin"), token("x2", "x2", BEFORE), undefined, inTime);
    await kept.beginSession(ADA, token("x1", "x1", BEFORE), undefined, inTime);
    await failing("ada@example.com")(store);
  },
  units: {
    register: (store) =>
      userStore(store).add(account("dot"), inTime, token("s3", "v1"), { claim: claim("k", "f"), answer: {} }),
    "take the same address": (store) => userStore(store).addUnlessTaken(account("eve", "customer", "DOT@example.com")),
    "add the first": (store) => userStore(store).addIfNoOthers([account("dot"), account("eve")], "nobody@example.com"),
    "sign in": signingIn("s4"),
    "sign in, at another cost": signingIn("s5", "$2b$05$new"),
    "refresh a session": exchanging("t2"),
    "refresh it with the same token": exchanging("t3"),
    "refresh it with a key": exchanging("t4", "k"),
    "end the session": (store) => userStore(store).endSession("s1", inTime),
    "change the password": (store) => userStore(store).changePassword(ADA, "$2b$04$new", inTime),
    "erase the customer": (store) => userStore(store).erase("ada", NOW, inTime),
    "erase an admin": (store) => userStore(store).erase("bob", NOW, inTime),
    "erase the other admin": (store) => userStore(store).erase("cyd", NOW, inTime),
    "count a failure": failing("ada@example.com"),
    "let the next attempt in": (store) =>
      createFailureRows(store).moveWait("ada@example.com", NOW_MS + 1_000, NOW_MS + 9_000),
    "forget the failures": (store) => createFailureRows(store).forget("ada@example.com", NOW_MS),
    "add the first key": (store) => createKeyStore(store).addFirstKey(key("k1")),
    "add another first key": (store) => createKeyStore(store).addFirstKey(key("k2")),
    "rotate the keys": (store) => createKeyStore(store).addKey(key("k3")),
    "drop keys": (store) => createKeyStore(store).dropKeys(["k3", "k1"]),
  },
  methods: [
    ...[
      "add",
      "addUnlessTaken",
      "addIfNoOthers",
      "beginSession",
      "exchangeToken",
      "endSession",
      "changePassword",
      "erase",
    ],
    ...["add", "moveWait", "forget"],
    ...["addKey", "addFirstKey", "dropKeys"],
  ],
  stores: (store) => [userStore(store), createFailureRows(store), createKeyStore(store)],
};

export const UNITS = { users, products, orders } satisfies Partial<Record<ModuleName, Units>>;
