import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { freePorts } from "./process.ts";
import { findProgram } from "./programs.ts";

const run = promisify(execFile);
const START_TIMEOUT_MS = 60_000;

/** A Redis that tests may use; it may be shared, so keys need a prefix of their own. */
export interface TestRedis {
  readonly url: string;
  /** Ends it, if it was started here. */
  stop(): Promise<void>;
}

/** A Redis of one's own, to be harmed at will. */
export interface RedisServer extends TestRedis {
  readonly port: number;
  /** Where it would keep its dump: `dump.rdb`. */
  readonly dir: string;
  readonly pid: number;
  /** Starts it again after `kill`, on the same port, with whatever dump is in its folder. */
  start(): Promise<void>;
  /** Ends it at once; it saves nothing. */
  kill(): Promise<void>;
  /** It hangs: connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
}

/** The Redis of `REDIS_URL`, else one that is started for this test. @throws Error that says what to do */
export async function startRedis(): Promise<TestRedis> {
  const url = process.env.REDIS_URL;
  return url ? { url, stop: async () => {} } : startRedisServer();
}

/**
 * Starts an empty Redis that keeps nothing on disk, on a free port of this machine.
 * @param settings further arguments of redis-server
 * @throws Error that says what to do when there is no redis-server
 */
export async function startRedisServer(settings: readonly string[] = []): Promise<RedisServer> {
  const program = await findRedisServer();
  const dir = await mkdtemp(join(tmpdir(), "redis-"));
  const [port = 0] = await freePorts(1);
  let child: ChildProcess | undefined;

  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, "exit");
    running.kill("SIGKILL");
    await exited;
  };
  const start = async () => {
    const where = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir];
    const plain = ["--save", "", "--appendonly", "no", "--loglevel", "warning"];
    child = spawn(program, [...where, ...plain, ...settings], { stdio: "ignore" });
    await answers(port, child);
  };
  const pidOf = () => {
    if (child?.pid === undefined) throw new Error("this Redis does not run");
    return child.pid;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return pidOf();
    },
    start,
    kill,
    pause: () => process.kill(pidOf(), "SIGSTOP"),
    resume: () => process.kill(pidOf(), "SIGCONT"),
    async stop() {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The path of redis-server; on Debian root installs it when it is missing. */
async function findRedisServer(): Promise<string> {
  const found = await findProgram("redis-server");
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && (await findProgram("apt-get")) !== undefined) {
    await run("apt-get", ["update"]).catch(() => undefined);
    await run("apt-get", ["install", "-y", "--no-install-recommends", "redis-server"]).catch(() => undefined);
    const installed = await findProgram("redis-server");
    if (installed !== undefined) return installed;
  }
  throw new Error("These tests need a Redis: install redis-server, or set REDIS_URL to one that may be written to.");
}

async function answers(port: number, child: ChildProcess): Promise<void> {
  const probe = new Redis({ port, host: "127.0.0.1", retryStrategy: () => 20 });
  probe.on("error", () => {});
  try {
    const timeout = sleep(START_TIMEOUT_MS, undefined, { ref: false });
    const failure = Promise.race([timeout, once(child, "exit")]).then(() => {
      throw new Error(`redis-server did not start on port ${port}`);
    });
    await Promise.race([probe.ping(), failure]);
    failure.catch(() => undefined);
  } finally {
    probe.disconnect();
  }
}
