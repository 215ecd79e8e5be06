import { parseArgs } from "node:util";
import { cursorOf } from "../src/contract/schemas.ts";
import { interleave } from "./interleave.ts";
import { applyLoad } from "./load.ts";
import { median } from "./quantile.ts";
import { createApi, inTurn, jsonRequest } from "./shop.ts";
import { ratio, table } from "./table.ts";
import { admin, type Topology, topologies } from "./topologies.ts";

/**
 * What a shop that has grown costs beside one that has just opened: the same kinds of requests to both, interleaved in one
 * run. It is filled over its public API, and all of it is in use: its products are ordered at random, by all its customers.
 *
 *     node bench/flat.ts --products 100000 --orders 1000000 --customers 1000
 */

const { values: flags } = parseArgs({
  options: {
    products: { type: "string", default: "100000" },
    orders: { type: "string", default: "1000000" },
    customers: { type: "string", default: "1000" },
    rounds: { type: "string", default: "9" },
    seconds: { type: "string", default: "1" },
  },
});

const CONNECTIONS = 32;
/** Requests of one kind that are made up beforehand. */
const VARIETY = 20_000;
const CUSTOMER_PASSWORD = "the buyer of a benchmark";

/** A shop, and how to ask it: a supply of requests for each kind, by what it is called. */
interface Shop {
  readonly topology: Topology;
  readonly kinds: ReadonlyMap<string, readonly Buffer[]>;
}

const running: Topology[] = [];
try {
  const small = await open(100, 100);
  const large = await open(Number(flags.products), Number(flags.customers));
  await order(small, CONNECTIONS * 100);
  await order(large, Number(flags.orders));
  const rows: string[][] = [];
  for (const kind of small.kinds.keys()) {
    rows.push(rowOf(kind, await interleave([small, large], Number(flags.rounds), (shop) => rateOf(shop, kind))));
  }
  console.log(`\n${table([["answers/s", "opened", "grown", "grown ÷ opened"], ...rows])}\n`);
} finally {
  await Promise.all(running.map((topology) => topology.stop()));
}

/** Opens a shop with so many products and customers. */
async function open(products: number, customers: number): Promise<Shop> {
  const topology = await topologies.one();
  running.push(topology);
  const api = createApi(`http://127.0.0.1:${topology.ports[0]}`);
  const adminToken = String((await api.post("/users/login", admin)).token);
  const tokens = await many(customers, async (n) => {
    const customer = { name: `Buyer ${n}`, email: `buyer-${n}@example.com`, password: CUSTOMER_PASSWORD };
    return String((await api.post("/users/register", customer)).token);
  });
  const ids = await many(products, async (n) => {
    const product = { name: `Product ${n}`, price_cents: 1_000 + (n % 1_000), stock: 1_000_000_000 };
    return String((await api.post("/products", product, adminToken)).id);
  });
  console.error(`A shop with ${products} products and ${customers} customers.`);
  const supply = (make: (productId: string, token: string) => Buffer) =>
    Array.from({ length: VARIETY }, () => make(pick(ids), pick(tokens)));
  const newer = ids.slice(ids.length / 2); // after each of these comes a whole page
  const get = (path: string, token?: string) => jsonRequest("GET", path, { token });
  const kinds = new Map([
    ["POST /orders", supply((product_id, token) => placing(product_id, token))],
    ["GET /products/{id}", supply((id) => get(`/products/${id}`))],
    ["GET /products", supply(() => get("/products"))],
    ["GET /products?cursor", supply(() => get(`/products?cursor=${cursorOf(pick(newer))}`))],
    ["GET /orders", supply((_id, token) => get("/orders", token))],
    ["GET /orders?status=rejected", supply((_id, token) => get("/orders?status=rejected", token))],
    ["GET /orders, by the admin", [get("/orders", adminToken)]],
  ]);
  return { topology, kinds };
}

function placing(product_id: string, token: string): Buffer {
  return jsonRequest("POST", "/orders", { token, body: { product_id, quantity: 1 } });
}

/** Places at least so many orders. */
async function order(shop: Shop, count: number): Promise<void> {
  for (let placed = 0; placed < count; ) {
    placed += (await ask(shop, "POST /orders", 10)).answers;
    console.error(`${placed} orders`);
  }
}

/** @throws Error when an answer is not a success */
function ask({ topology: { ports }, kinds }: Shop, kind: string, seconds: number) {
  const status = kind.startsWith("POST") ? 201 : 200;
  const load = { host: "127.0.0.1", ports, next: inTurn(kinds.get(kind) ?? []), status };
  return applyLoad(load, { connections: CONNECTIONS }, seconds * 1_000);
}

/** Answers per second. */
async function rateOf(shop: Shop, kind: string): Promise<number> {
  const { answers, elapsedMs } = await ask(shop, kind, Number(flags.seconds));
  return answers / (elapsedMs / 1_000);
}

/** @param rates of both shops, round by round */
function rowOf(kind: string, [opened = [], grown = []]: readonly (readonly number[])[]): string[] {
  return [kind, median(opened).toFixed(0), median(grown).toFixed(0), ratio(grown, opened)];
}

/** Makes so many of something, a few at a time. */
async function many<T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let n = 0; n < count; n += CONNECTIONS) {
    const few = Math.min(CONNECTIONS, count - n);
    made.push(...(await Promise.all(Array.from({ length: few }, (_, i) => make(n + i)))));
  }
  return made;
}

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(Math.random() * from.length)] as T;
}
