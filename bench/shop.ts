import { setTimeout as sleep } from "node:timers/promises";
import { applyLoad } from "./load.ts";
import { admin, type Topology } from "./topologies.ts";

/** What one stretch of load found. */
export interface Measured {
  readonly orders: number;
  readonly ordersPerSecond: number;
  readonly latenciesMs: readonly number[];
  /** Processor time of all server processes, until the last order had its stock, per order. */
  readonly cpuMicrosPerOrder: number;
}

/** A shop with products and a customer, for one topology. */
export interface Shop {
  readonly port: number;
  /** Requests that place an order, and that look at a product. */
  readonly requests: Readonly<Record<"orders" | "looks", readonly Buffer[]>>;
  /** @throws Error when an answer is not 201, or the stock does not add up afterwards */
  measure(connections: number, durationMs: number): Promise<Measured>;
}

const PRODUCTS = 20;
const STOCK = 1_000_000_000;
const QUANTITY = 2;
const SETTLES_WITHIN_MS = 30_000;

/** Opens a shop over its public API alone. */
export async function openShop(topology: Topology): Promise<Shop> {
  const api = createApi(`http://127.0.0.1:${topology.port}`);
  const { token: adminToken } = await api.post("/users/login", admin);
  const customer = { name: "Buyer", email: "buyer@example.com", password: "the buyer of a benchmark" };
  const { token } = await api.post("/users/register", customer);
  const ids: string[] = [];
  for (let n = 0; n < PRODUCTS; n++) {
    const product = { name: `Product ${n}`, price_cents: 1_000 + n, stock: STOCK };
    ids.push(String((await api.post("/products", product, String(adminToken))).id));
  }
  const orders = ids.map((product_id) =>
    jsonRequest(topology.port, "POST", "/orders", { token: String(token), body: { product_id, quantity: QUANTITY } }),
  );
  const looks = ids.map((id) => jsonRequest(topology.port, "GET", `/products/${id}`, {}));
  let sold = 0;
  return {
    port: topology.port,
    requests: { orders, looks },
    async measure(connections, durationMs) {
      const cpuBefore = cpuMicros(topology);
      const target = { host: "127.0.0.1", port: topology.port };
      const loaded = await applyLoad({ ...target, requests: orders, connections, durationMs, status: 201 });
      sold += loaded.answers * QUANTITY;
      await untilStockIs(api, ids, ids.length * STOCK - sold);
      return {
        orders: loaded.answers,
        ordersPerSecond: loaded.answers / (loaded.elapsedMs / 1_000),
        latenciesMs: loaded.latenciesMs,
        cpuMicrosPerOrder: (cpuMicros(topology) - cpuBefore) / loaded.answers,
      };
    },
  };
}

function cpuMicros({ processes }: Topology): number {
  return processes.reduce((sum, process) => sum + process.cpuMicros(), 0);
}

/** A whole HTTP/1.1 request, as a client would write it. */
export function jsonRequest(
  port: number,
  method: string,
  path: string,
  { token, body }: { readonly token?: string | undefined; readonly body?: object },
): Buffer {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const head = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(text === undefined ? [] : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(text)}`]),
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${text ?? ""}`);
}

type Api = ReturnType<typeof createApi>;

/** The API, as a program uses it: answers other than a success throw. */
export function createApi(url: string) {
  const ask = async (path: string, init: RequestInit): Promise<Record<string, unknown>> => {
    const answer = await fetch(url + path, init);
    const body = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${body}`);
    return JSON.parse(body);
  };
  return {
    get: (path: string) => ask(path, {}),
    post(path: string, body: object, token?: string) {
      const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      const headers = { "Content-Type": "application/json", ...authorization };
      return ask(path, { method: "POST", body: JSON.stringify(body), headers });
    },
  };
}

/** Waits until all units that were sold are taken, which is when every order is decided. */
async function untilStockIs(api: Api, ids: readonly string[], expected: number): Promise<void> {
  const deadline = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const products = await Promise.all(ids.map((id) => api.get(`/products/${id}`)));
    const stock = products.reduce((sum, product) => sum + Number(product.stock), 0);
    if (stock === expected) return;
    if (stock < expected || performance.now() > deadline) {
      throw new Error(`the stock is ${stock}, but ${expected} are left of what was sold`);
    }
    await sleep(20);
  }
}
