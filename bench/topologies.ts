import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { serviceNames } from "../src/runtime/modules.ts";
import { createDisk, type Disk } from "../test/support/disk/disk.ts";
import { findFreePorts, type Process, startProcess, untilReady } from "./processes.ts";

/** A way to run the shop: its processes, Redis too, and where the public reaches it. */
export interface Topology {
  readonly port: number;
  readonly processes: readonly Process[];
  stop(): Promise<void>;
}

/** What of a topology can be other than usual. */
export interface TopologyOptions {
  /** The folder of the checkout whose shop is run; by default this one. */
  readonly checkout?: string;
  /** How much longer each sync to the disk takes, in milliseconds. It takes a C compiler: see `test/support/disk/`. */
  readonly syncDelayMs?: number;
}

export const admin = { email: "admin@example.com", password: "the admin of a benchmark" };

/** The topologies by the names that `--topologies` takes. */
export const topologies = { bare: startBare, one: startOne, four: startFour } as const;

export type TopologyName = keyof typeof topologies;

const READY_WITHIN_MS = 20_000;

const HERE = new URL("..", import.meta.url).pathname;
const BARE = new URL("bare-server.ts", import.meta.url).pathname;

async function startBare(options: TopologyOptions = {}): Promise<Topology> {
  const [port = 0] = await findFreePorts(1);
  return start(port, options, (folder, env) => [
    startProcess(process.execPath, [BARE, `--port=${port}`, `--data-dir=${folder}`], folder, {
      ...env,
      NODE_ENV: "production",
    }),
  ]);
}

async function startOne(options: TopologyOptions = {}): Promise<Topology> {
  const [port = 0] = await findFreePorts(1);
  return start(port, options, (folder, env) => [startShop("all", folder, [`--port=${port}`], env, options.checkout)]);
}

async function startFour(options: TopologyOptions = {}): Promise<Topology> {
  const [redis = 0, ...ports] = await findFreePorts(1 + serviceNames.length);
  const places = serviceNames.flatMap((name, at) =>
    name === "gateway"
      ? [`--port=${ports[at]}`]
      : [`--${name}-port=${ports[at]}`, `--${name}-url=http://127.0.0.1:${ports[at]}`],
  );
  const [gateway = 0] = ports;
  const all = [...places, `--redis-url=redis://127.0.0.1:${redis}`];
  return start(gateway, options, (folder, env) => [
    startProcess(
      "redis-server",
      [
        ...["--port", String(redis), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--loglevel", "warning"],
        ...["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"],
      ],
      folder,
    ),
    ...serviceNames.map((name) => startShop(name, folder, all, env, options.checkout)),
  ]);
}

function startShop(
  serve: string,
  folder: string,
  places: readonly string[],
  env: NodeJS.ProcessEnv,
  checkout = HERE,
): Process {
  return startProcess(
    process.execPath,
    [
      resolve(checkout, "src/main.ts"),
      ...[`--serve=${serve}`, `--data-dir=${folder}`, ...places],
      ...["--node-env=production", "--log-level=warn", "--rate-limit=off", "--auth-rate-limit=off"],
      ...["--bcrypt-cost=4", `--admin-email=${admin.email}`, `--admin-password=${admin.password}`],
    ],
    folder,
    { ...env, NODE_ENV: "production" },
  );
}

/** @param run starts the processes, in their folder and with the environment of their disk */
async function start(
  port: number,
  { syncDelayMs = 0 }: TopologyOptions,
  run: (folder: string, env: NodeJS.ProcessEnv) => Process[],
): Promise<Topology> {
  const folder = await mkdtemp(join(tmpdir(), "quartet-bench-"));
  const disk = syncDelayMs > 0 ? slowDisk(syncDelayMs) : undefined;
  const processes = run(folder, disk?.env ?? {});
  const topology: Topology = {
    port,
    processes,
    async stop() {
      await Promise.all(processes.map((each) => each.stop()));
      disk?.dispose();
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

function slowDisk(syncDelayMs: number): Disk {
  const disk = createDisk(false);
  disk.behave(`delay ${Math.round(syncDelayMs * 1_000)}`);
  return disk;
}
