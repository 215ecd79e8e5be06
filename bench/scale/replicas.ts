import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { moduleNames, type ServiceName, serviceNames } from "../../src/runtime/modules.ts";
import type { Books } from "../books.ts";
import { findFreePorts, untilReady } from "../processes.ts";
import { READY_WITHIN_MS, runRedis, runShop, type Topology } from "../topologies.ts";
import { type Server, startServer } from "./server.ts";

/** So many of each service on PostgreSQL, which callers spread over by themselves; the load is on all gateways alike. */
export interface Replicated extends Topology {
  /** One for all modules, or one for each. */
  readonly servers: readonly Server[];
  readonly redisUrl: string;
}

export interface ReplicatedOptions {
  readonly replicas: number;
  /** Whether each module has a PostgreSQL of its own. */
  readonly isApart?: boolean;
}

/** What is measured is what an order takes, however long. */
const PATIENCE_MS = 30_000;

export async function startReplicas({ replicas, isApart = false }: ReplicatedOptions): Promise<Replicated> {
  const folder = await mkdtemp(join(tmpdir(), "quartet-bench-"));
  const names = isApart ? moduleNames : ["postgres"];
  const servers = await Promise.all(names.map((name) => startServer(isApart ? `postgres of ${name}` : name)));
  const [redisPort = 0, ...ports] = await findFreePorts(1 + serviceNames.length * replicas);
  const portsOf = (service: ServiceName) => {
    const at = serviceNames.indexOf(service) * replicas;
    return ports.slice(at, at + replicas);
  };
  const serverOf = (module: string) => servers[isApart ? names.indexOf(module) : 0];
  const all = [
    `--redis-url=redis://127.0.0.1:${redisPort}`,
    `--call-timeout=${PATIENCE_MS}`,
    ...moduleNames.flatMap((name) => [
      `--${name}-url=${portsOf(name).map((port) => `http://127.0.0.1:${port}`)}`,
      `--${isApart ? `${name}-` : ""}database-url=${serverOf(name)?.url}`,
    ]),
  ];
  const startedAt = performance.now();
  const redis = runRedis(redisPort, folder);
  const services = serviceNames.flatMap((name) =>
    portsOf(name).map((port) => {
      const listens = name === "gateway" ? `--port=${port}` : `--${name}-port=${port}`;
      return runShop(name, folder, [...all, listens], {}, {});
    }),
  );
  const stop = async () => {
    await Promise.all(services.map((each) => each.stop()));
    await Promise.all([redis, ...servers].map((each) => each.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const gateways = portsOf("gateway");
    await Promise.all(ports.map((port) => untilReady(`http://127.0.0.1:${port}/readyz`, 3 * READY_WITHIN_MS)));
    return {
      ports: gateways,
      folder,
      processes: [redis, ...servers, ...services],
      readyAfterMs: performance.now() - startedAt,
      books: () => readBooks(serverOf("orders"), serverOf("products")),
      servers,
      redisUrl: `redis://127.0.0.1:${redisPort}`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readBooks(orders: Server | undefined, products: Server | undefined): Promise<Books> {
  const found = await Promise.all([
    orders?.ask<Books>(
      `SELECT count(*)::int AS orders, (count(*) FILTER (WHERE status = 'confirmed'))::int AS confirmed FROM orders.orders`,
    ),
    products?.ask<Books>(
      `SELECT count(*)::int AS taken, -coalesce(sum(delta), 0)::int AS units,
        (SELECT sum(stock) FROM products.products)::float8 AS stock FROM products.stock_ledger WHERE reason = 'reserved'`,
    ),
  ]);
  return Object.assign({}, ...found.flatMap((rows) => rows ?? []));
}
