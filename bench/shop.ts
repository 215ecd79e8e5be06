import { untilBooksAre } from "./books.ts";
import { applyLoad, type Load, type Loaded, type Pace } from "./load.ts";
import { admin, type Topology, type TopologyName, type TopologyOptions, topologies } from "./topologies.ts";

/** What can be asked of a shop: to take an order, to take it and tell when it is confirmed, to show a product, to register somebody. */
export type Kind = "orders" | "confirmed" | "looks" | "registrations";

/** What one stretch of load found. */
export interface Measured extends Loaded {
  readonly perSecond: number;
  /** Processor time of the processes of each name until all was done, per answer, in microseconds. */
  readonly cpuMicros: ReadonlyMap<string, number>;
}

/** A shop with products and a customer. */
export interface Shop {
  readonly name: string;
  readonly topology: Topology;
  /** @throws Error when an answer is not a success */
  load(kind: Kind, pace: Pace, durationMs: number): Promise<Loaded>;
  /** Waits until all that was asked for is done. @throws Error when the books do not add up then */
  settle(): Promise<void>;
  /** Both, and what they took. */
  measure(kind: Kind, pace: Pace, durationMs: number): Promise<Measured>;
}

/** Which shop to open. */
export interface Opening extends TopologyOptions {
  readonly topology: TopologyName;
  /** What it is called in a table; by default as its topology. */
  readonly name?: string;
}

const PRODUCTS = 20;
const STOCK = 1_000_000_000;
const QUANTITY = 2;
const PASSWORD = "the buyer of a benchmark";

/** Starts topologies, opens a shop in each, and stops them when the work is done. */
export async function withShops<T>(openings: readonly Opening[], work: (shops: Shop[]) => Promise<T>): Promise<T> {
  const running: Topology[] = [];
  try {
    const shops: Shop[] = [];
    for (const { topology: topologyName, name = topologyName, ...options } of openings) {
      const topology = await topologies[topologyName](options);
      running.push(topology);
      shops.push(await openShop(name, topology));
    }
    return await work(shops);
  } finally {
    await Promise.all(running.map((topology) => topology.stop()));
  }
}

/** Opens a shop over its public API alone. */
export async function openShop(name: string, topology: Topology): Promise<Shop> {
  const { ports, processes } = topology;
  const api = createApi(`http://127.0.0.1:${ports[0]}`);
  const { token: adminToken } = await api.post("/users/login", admin);
  const { token } = await api.post("/users/register", {
    name: "Buyer",
    email: "buyer@example.com",
    password: PASSWORD,
  });
  const ids: string[] = [];
  for (let n = 0; n < PRODUCTS; n++) {
    const product = { name: `Product ${n}`, price_cents: 1_000 + n, stock: STOCK };
    ids.push(String((await api.post("/products", product, String(adminToken))).id));
  }
  const kinds = kindsOf(String(token), ids);
  let placed = 0;
  /** Of all processes of one name together. */
  const cpuMicros = () => {
    const times = new Map<string, number>();
    for (const each of processes) times.set(each.name, (times.get(each.name) ?? 0) + each.cpuMicros());
    return times;
  };
  const shop: Shop = {
    name,
    topology,
    async load(kind, pace, durationMs) {
      const loaded = await applyLoad({ host: "127.0.0.1", ports, ...kinds[kind] }, pace, durationMs);
      if (kind === "orders" || kind === "confirmed") placed += loaded.answers;
      return loaded;
    },
    async settle() {
      const units = placed * QUANTITY;
      const stock = PRODUCTS * STOCK - units;
      await untilBooksAre(topology.books, { orders: placed, confirmed: placed, taken: placed, units, stock });
    },
    async measure(kind, pace, durationMs) {
      const before = cpuMicros();
      const loaded = await shop.load(kind, pace, durationMs);
      await shop.settle();
      const each = [...cpuMicros()].map(
        ([of, after]) => [of, (after - (before.get(of) ?? 0)) / loaded.answers] as const,
      );
      return {
        ...loaded,
        perSecond: loaded.answers / (loaded.elapsedMs / 1_000),
        cpuMicros: new Map(each),
      };
    },
  };
  return shop;
}

function kindsOf(token: string, ids: readonly string[]): Record<Kind, Omit<Load, "host" | "ports">> {
  const order = (product_id: string) =>
    jsonRequest("POST", "/orders", { token, body: { product_id, quantity: QUANTITY } });
  const orders = { next: inTurn(ids.map(order)), status: 201 };
  const whenDecided = (location: string) => jsonRequest("GET", location, { token, wait: 10 });
  let registered = 0;
  const register = () => {
    const n = registered++;
    const body = { name: `Buyer ${n}`, email: `buyer-${n}@example.com`, password: PASSWORD };
    return jsonRequest("POST", "/users/register", { body });
  };
  return {
    orders,
    confirmed: { ...orders, thenAsk: whenDecided, thenFind: '"status":"confirmed"' },
    looks: { next: inTurn(ids.map((id) => jsonRequest("GET", `/products/${id}`, {}))), status: 200 },
    registrations: { next: register, status: 201 },
  };
}

/** One after the other, and then from the first again. */
export function inTurn(requests: readonly Buffer[]): () => Buffer {
  let turn = 0;
  return () => requests[turn++ % requests.length] ?? Buffer.alloc(0);
}

/** What a request has beside its path. */
export interface RequestParts {
  readonly token?: string | undefined;
  readonly body?: object;
  /** How long the answer may wait for what is asked for, in seconds. */
  readonly wait?: number;
}

/** A whole HTTP/1.1 request, as a client would write it. */
export function jsonRequest(method: string, path: string, { token, body, wait }: RequestParts): Buffer {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const head = [
    `${method} ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(wait === undefined ? [] : [`Prefer: wait=${wait}`]),
    ...(text === undefined ? [] : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(text)}`]),
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${text ?? ""}`);
}

/** The API, as a program uses it: answers other than a success throw. */
export function createApi(url: string) {
  return {
    async post(path: string, body: object, token?: string): Promise<Record<string, unknown>> {
      const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      const headers = { "Content-Type": "application/json", ...authorization };
      const answer = await fetch(url + path, { method: "POST", body: JSON.stringify(body), headers });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
      return JSON.parse(text);
    },
  };
}
