import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serviceNames } from "../src/runtime/modules.ts";
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
  const [redis = 0, ...ports] = await findFreePorts(1 + serviceNames.length);
  const places = serviceNames.flatMap((name, at) =>
    name === "gateway"
      ? [`--port=${ports[at]}`]
      : [`--${name}-port=${ports[at]}`, `--${name}-url=http://127.0.0.1:${ports[at]}`],
  );
  const [gateway = 0] = ports;
  return start(gateway, (folder) => [
    startProcess("redis-server", [
      ...["--port", String(redis), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--loglevel", "warning"],
      ...["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"],
    ]),
    ...serviceNames.map((name) => startShop(name, folder, [...places, `--redis-url=redis://127.0.0.1:${redis}`])),
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
