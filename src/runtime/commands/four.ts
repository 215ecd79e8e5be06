import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFolder } from "../../store/make-folder.ts";
import { type Config, environmentWith, portOf, urlSetting } from "../config.ts";
import { listen } from "../http-server.ts";
import { moduleNames, serviceNames } from "../modules.ts";
import { OperatorError } from "../operator-error.ts";

/** Time for the services to stop before the Redis that they use. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * Runs each service in a process of its own, with a Redis: the topology of the containers, without containers. A
 * Redis that REDIS_URL names is used; else one is started, from `redis-server` or, failing that, from Docker.
 * Ends when a signal comes or one of the processes ends.
 * @param args the settings that were given as flags; every process gets them
 */
export async function runFour(config: Config, args: readonly string[]): Promise<void> {
  const redis = config.REDIS_URL === undefined ? await startRedis(config.DATA_DIR) : undefined;
  console.log(`Redis is ${redis === undefined ? "the one that REDIS_URL names" : `started here, at ${redis.url}`}.`);
  const env = environmentWith({ ...neighbours(config), REDIS_URL: redis?.url ?? config.REDIS_URL });
  const services = serviceNames.map((name) => {
    const program = [process.argv[1] ?? "", ...args, "--serve", name];
    // By the channel a service learns that this process has been killed.
    const child = spawn(process.execPath, program, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    relayOutput(child, name);
    return child;
  });
  process.on("SIGUSR2", () => services.map((service) => service.kill("SIGUSR2"))); // see log-level.ts
  await Promise.race([...services.map(ended), signalled()]);
  for (const service of services) service.kill("SIGTERM");
  await Promise.race([Promise.all(services.map(ended)), sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  redis?.process.kill("SIGTERM");
}

function neighbours(config: Config): Record<string, string> {
  return Object.fromEntries(
    moduleNames.map((name) => [
      urlSetting(name),
      config[urlSetting(name)] ?? `http://127.0.0.1:${portOf(config, name)}`,
    ]),
  );
}

async function startRedis(dataDir: string): Promise<{ url: string; process: ChildProcess }> {
  const port = await freePort();
  const dir = `${dataDir}/redis`;
  makeFolder(dir);
  const own = spawn("redis-server", ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes"]);
  const started = await outcome(own);
  if (started) return { url: `redis://127.0.0.1:${port}`, process: own };
  const contained = spawn("docker", ["run", "--rm", "--init", "-p", `127.0.0.1:${port}:6379`, "redis:8"]);
  if (await outcome(contained)) return { url: `redis://127.0.0.1:${port}`, process: contained };
  throw new OperatorError("There is no Redis: install redis-server or Docker, or set REDIS_URL.");
}

/** True when the program runs, false when there is no such program. */
function outcome(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => child.once("spawn", () => resolve(true)).once("error", () => resolve(false)));
}

async function freePort(): Promise<number> {
  const probe = await listen(() => {}, "127.0.0.1", 0);
  await probe.stop({ idleMs: 0, timeoutMs: 0 });
  return Number(new URL(probe.url).port);
}

function relayOutput(child: ChildProcess, name: string): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => console.log(`${name.padEnd(8)} │ ${line}`));
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
