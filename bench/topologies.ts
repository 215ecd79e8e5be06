import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { serviceNames } from "../src/runtime/modules.ts";
import { createDisk, type Disk } from "../test/support/disk/disk.ts";
import { type Books, readBooks } from "./books.ts";
import { installPeers, PEERS } from "./install-peers.ts";
import { findFreePorts, type Process, startProcess, untilReady } from "./processes.ts";

/** A way to run the shop, or a program that it is compared with: its processes, Redis too, and where the public reaches it. */
export interface Topology {
  /** Of all that stand there. */
  readonly ports: readonly number[];
  /** Where its databases are, if they are files. */
  readonly folder: string;
  /** What is in its databases. */
  books(): Books | Promise<Books>;
  readonly processes: readonly Process[];
  /** From the start of the processes to the first answer that it is ready. */
  readonly readyAfterMs: number;
  stop(): Promise<void>;
}

/** What of a topology can be other than usual. */
export interface TopologyOptions {
  /** The folder of the checkout whose shop is run; by default this one. */
  readonly checkout?: string;
  /** How much longer each sync to the disk takes, in milliseconds. It takes a C compiler: see `test/support/disk/`. */
  readonly syncDelayMs?: number;
  /** How hard the shop's passwords are to guess; by default hardly, so that many customers are registered soon. */
  readonly bcryptCost?: number;
}

/** Starts processes in a folder, on the disk that the environment names. */
type Run = (folder: string, env: NodeJS.ProcessEnv) => Process[];

export const admin = { email: "admin@example.com", password: "the admin of a benchmark" };

/** The topologies by the names that `--topologies` takes. */
export const topologies = {
  bare: startBare,
  one: startOne,
  four: startFour,
  moleculer: startMoleculer,
  "moleculer-four": startMoleculerFour,
} as const;

export type TopologyName = keyof typeof topologies;

export const READY_WITHIN_MS = 20_000;

const HERE = new URL("..", import.meta.url).pathname;
const BARE = new URL("bare-server.ts", import.meta.url).pathname;
const MOLECULER = join(PEERS, "moleculer/main.js");

async function startBare(options: TopologyOptions = {}): Promise<Topology> {
  const [port = 0] = await findFreePorts(1);
  return start(port, options, (folder, env) => [runNode("bare", folder, env, BARE, `--port=${port}`)]);
}

async function startOne(options: TopologyOptions = {}): Promise<Topology> {
  const [port = 0] = await findFreePorts(1);
  return start(port, options, (folder, env) => [runShop("all", folder, [`--port=${port}`], env, options)]);
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
    runRedis(redis, folder),
    ...serviceNames.map((name) => runShop(name, folder, all, env, options)),
  ]);
}

async function startMoleculer(options: TopologyOptions = {}): Promise<Topology> {
  installPeers();
  const [port = 0] = await findFreePorts(1);
  return start(port, options, (folder, env) => [runNode("moleculer", folder, env, MOLECULER, `--port=${port}`)]);
}

async function startMoleculerFour(options: TopologyOptions = {}): Promise<Topology> {
  installPeers();
  const [port = 0, redis = 0] = await findFreePorts(2);
  const all = [`--port=${port}`, `--redis-url=redis://127.0.0.1:${redis}`];
  return start(port, options, (folder, env) => [
    runRedis(redis, folder),
    ...serviceNames.map((name) => runNode(name, folder, env, MOLECULER, `--serve=${name}`, ...all)),
  ]);
}

/** Runs the shop, or some of its services. */
export function runShop(
  serve: string,
  folder: string,
  places: readonly string[],
  env: NodeJS.ProcessEnv,
  { checkout = HERE, bcryptCost = 4 }: TopologyOptions,
): Process {
  return runNode(
    serve === "all" ? "one" : serve,
    folder,
    env,
    mainOf(checkout),
    ...[`--serve=${serve}`, ...places, `--bcrypt-cost=${bcryptCost}`],
    ...["--node-env=production", "--log-level=warn", "--rate-limit=off", "--auth-rate-limit=off"],
    ...[`--admin-email=${admin.email}`, `--admin-password=${admin.password}`],
  );
}

/** An older checkout has no program of this name yet. */
function mainOf(checkout: string): string {
  const program = resolve(checkout, "bin/main.js");
  return existsSync(program) ? program : resolve(checkout, "src/main.ts");
}

function runNode(name: string, folder: string, env: NodeJS.ProcessEnv, program: string, ...flags: string[]): Process {
  const args = [program, `--data-dir=${folder}`, ...flags];
  return startProcess({ name, command: process.execPath, args, folder, env: { ...env, NODE_ENV: "production" } });
}

/** Runs a Redis that keeps what it has on the disk, as in production. */
export function runRedis(port: number, folder: string): Process {
  const args = [
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--loglevel", "warning"],
    ...["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"],
  ];
  return startProcess({ name: "redis", command: "redis-server", args, folder });
}

async function start(port: number, { syncDelayMs = 0 }: TopologyOptions, run: Run): Promise<Topology> {
  const folder = await mkdtemp(join(tmpdir(), "quartet-bench-"));
  const disk = syncDelayMs > 0 ? slowDisk(syncDelayMs) : undefined;
  const startedAt = performance.now();
  const processes = run(folder, disk?.env ?? {});
  const stop = async () => {
    await Promise.all(processes.map((each) => each.name === "redis" || each.stop()));
    await Promise.all(processes.map((each) => each.stop())); // Redis when nobody needs it
    disk?.dispose();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`, READY_WITHIN_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  const readyAfterMs = performance.now() - startedAt;
  return { ports: [port], folder, processes, readyAfterMs, books: () => readBooks(folder), stop };
}

function slowDisk(syncDelayMs: number): Disk {
  const disk = createDisk(false);
  disk.behave(`delay ${Math.round(syncDelayMs * 1_000)}`);
  return disk;
}
