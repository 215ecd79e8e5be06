import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePorts, type Process, startProcess, untilReady } from "./processes.ts";

/** A way to run the shop: its processes, Redis too, and where the public reaches it. */
export interface Topology {
  readonly port: number;
  readonly processes: readonly Process[];
  stop(): Promise<void>;
}

export const admin = { email: "admin@example.com", password: "the admin of a benchmark" };

/** The topologies by the names that `--topologies` takes. */
export const topologies = { bare: startBare, one: startOne, four: startFour } as const;

export type TopologyName = keyof typeof topologies;

const READY_WITHIN_MS = 20_000;

const SHOP = new URL("../src/main.ts", import.meta.url).pathname;
const BARE = new URL("bare-server.ts", import.meta.url).pathname;

async function startBare(): Promise<Topology> {
  const [port = 0] = await findFreePorts(1);
  return start(port, (folder) => [
    startProcess(process.execPath, [BARE, `--port=${port}`, `--data-dir=${folder}`], { NODE_ENV: "production" }),
  ]);
}

async function startOne(): Promise<Topology> {
  const [port = 0] = await findFreePorts(1);
  return start(port, (folder) => [startShop("all", folder, [`--port=${port}`])]);
}

async function startFour(): Promise<Topology> {
  const [gateway = 0, users = 0, products = 0, orders = 0, redis = 0] = await findFreePorts(5);
  const url = (port: number) => `http://127.0.0.1:${port}`;
  const places = [
    ...[`--port=${gateway}`, `--users-port=${users}`, `--products-port=${products}`, `--orders-port=${orders}`],
    ...[`--users-url=${url(users)}`, `--products-url=${url(products)}`, `--orders-url=${url(orders)}`],
    `--redis-url=redis://127.0.0.1:${redis}`,
  ];
  return start(gateway, (folder) => [
    startProcess("redis-server", [
      ...["--port", String(redis), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--loglevel", "warning"],
      ...["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"],
    ]),
    ...["gateway", "users", "products", "orders"].map((module) => startShop(module, folder, places)),
  ]);
}

function startShop(serve: string, folder: string, places: readonly string[]): Process {
  return startProcess(
    process.execPath,
    [
      SHOP,
      ...[`--serve=${serve}`, `--data-dir=${folder}`, ...places],
      ...["--node-env=production", "--log-level=warn", "--rate-limit=off", "--auth-rate-limit=off"],
      ...["--bcrypt-cost=4", `--admin-email=${admin.email}`, `--admin-password=${admin.password}`],
    ],
    { NODE_ENV: "production" },
  );
}

async function start(port: number, run: (folder: string) => Process[]): Promise<Topology> {
  const folder = await mkdtemp(join(tmpdir(), "quartet-bench-"));
  const processes = run(folder);
  const topology: Topology = {
    port,
    processes,
    async stop() {
      await Promise.all(processes.map((each) => each.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`, READY_WITHIN_MS);
  } catch (error) {
    await topology.stop();
    throw error;
  }
  return topology;
}
