import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFolder } from "../../store/make-folder.ts";
import { type Config, environmentWith, portOf, urlSetting } from "../config.ts";
import { listen } from "../http-server.ts";
import { moduleNames, type ServiceName, serviceNames } from "../modules.ts";
import { OperatorError } from "../operator-error.ts";
import { reachableUrl } from "../origin.ts";

/** Time for the services to stop before the Redis that they use, and for that. */
const STOP_TIMEOUT_MS = 10_000;
const RETRY_MS = 50;

/** A process that all the others need. */
interface Part {
  readonly child: ChildProcess;
  /** Resolves when it has ended and all it printed has been read, or when it cannot run: what is to be told of that. */
  readonly ended: Promise<string>;
}

interface OwnRedis extends Part {
  readonly url: string;
}

/**
 * Runs each service in a process of its own, with a Redis: the topology of the containers, without containers. A
 * Redis that REDIS_URL names is used; else one is started, from `redis-server` or, failing that, from Docker.
 * Ends when a signal comes or one of the processes ends.
 * @param args the settings that were given as flags; every process gets them
 * @throws OperatorError when it was not a signal that ended it, or when there is no Redis
 */
export async function runFour(config: Config, args: readonly string[]): Promise<void> {
  const asked = signalled();
  const redis = config.REDIS_URL === undefined ? await startRedis(config.DATA_DIR, asked) : undefined;
  console.log(`Redis is ${redis === undefined ? "the one that REDIS_URL names" : `started here, at ${redis.url}`}.`);
  const env = environmentWith({ ...neighbours(config), REDIS_URL: redis?.url ?? config.REDIS_URL });
  const services = serviceNames.map((name) => startService(name, args, env));
  process.on("SIGUSR2", () => services.map((service) => service.child.kill("SIGUSR2"))); // see log-level.ts
  const own = redis === undefined ? [] : [redis];
  const fault = await Promise.race([asked, ...[...services, ...own].map(({ ended }) => ended)]);
  await stop(services);
  await stop(own);
  if (fault !== undefined) throw new OperatorError(`${fault}, so all was stopped.`);
}

function neighbours(config: Config): Record<string, string> {
  return Object.fromEntries(
    moduleNames.map((name) => [
      urlSetting(name),
      config[urlSetting(name)] ?? reachableUrl(config.HOST, portOf(config, name)),
    ]),
  );
}

function startService(name: ServiceName, args: readonly string[], env: NodeJS.ProcessEnv): Part {
  const program = [process.argv[1] ?? "", ...args, "--serve", name];
  // By the channel a service learns that this process has been killed.
  const child = spawn(process.execPath, program, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  relayOutput(child, name);
  return part(name, child);
}

/** @param asked when it settles, the Redis is returned as it is, to be stopped */
async function startRedis(dataDir: string, asked: Promise<undefined>): Promise<OwnRedis> {
  const port = await freePort();
  const dir = `${dataDir}/redis`;
  makeFolder(dir);
  const programs = {
    "redis-server": ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes"],
    docker: ["run", "--rm", "--init", "-p", `127.0.0.1:${port}:6379`, "redis:8"],
  };
  const faults: string[] = [];
  for (const [program, args] of Object.entries(programs)) {
    // Its log is not read: through a pipe that nobody empties it would freeze.
    const redis = part(`Redis (${program})`, spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] }));
    const fault = await untilAnswer(port, Promise.race([asked, redis.ended]));
    if (fault === undefined) return { ...redis, url: `redis://127.0.0.1:${port}` };
    faults.push(fault);
  }
  throw new OperatorError(
    `There is no Redis: install redis-server or Docker, or set REDIS_URL. (${faults.join("; ")})`,
  );
}

/**
 * Waits until a Redis answers; that its port is open does not say so, since Docker opens it first.
 * @param instead what ends the wait, too
 * @returns undefined when it answers, else what came instead
 */
async function untilAnswer<T>(port: number, instead: Promise<T>): Promise<T | undefined> {
  const { Redis } = await import("ioredis");
  const patience = { maxRetriesPerRequest: null, retryStrategy: () => RETRY_MS, disconnectTimeout: RETRY_MS };
  const probe = new Redis({ port, host: "127.0.0.1", ...patience });
  probe.on("error", () => {}); // it is not there yet
  try {
    return await Promise.race([probe.ping().then(() => undefined), instead]);
  } finally {
    probe.disconnect();
  }
}

function part(name: string, child: ChildProcess): Part {
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`${name} cannot run: ${error.message}`));
    child.once("close", (code, signal) =>
      resolve(`${name} ${signal === null ? `has ended with status ${code}` : `was ended by ${signal}`}`),
    );
  });
  return { child, ended };
}

async function stop(parts: readonly Part[]): Promise<void> {
  for (const { child } of parts) child.kill("SIGTERM");
  const all = Promise.all(parts.map(({ ended }) => ended));
  await Promise.race([all, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
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

function signalled(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(undefined));
  });
}
