import { type ChildProcess, spawn } from "node:child_process";
import { Problem } from "../../base/problem.ts";
import { Refusal } from "../../base/refusal.ts";
import { listen } from "../../http/server.ts";
import { stopRequest } from "../../runtime/stop-request.ts";
import { makeFolder } from "../../store/make-folder.ts";
import { Supervised } from "./supervised.ts";

const RETRY_MS = 50;
const ANSWER_MS = 1_000;

/**
 * Ends the program after it when its input does: whoever started it may have no time to say so. It says nothing to those
 * signals that a terminal sends to all of its programs, since Redis is to outlive the services. A Redis that cannot save, as
 * its folder is gone, would not end when it is asked to. What the shell itself would say of all this is not printed.
 */
const KEEPER = `command -v "$1" >/dev/null || exit 127; trap '' HUP INT; exec 3<&0; "$@" & program=$!; { cat <&3 >/dev/null; kill $program; sleep 1; kill -9 $program; } 2>/dev/null & exec 3<&-; wait $program 2>/dev/null`;

export interface OwnRedis {
  readonly process: Supervised;
  readonly url: string;
  /**
   * Stops it as it is (SIGSTOP), so that it takes connections and answers nothing; undefined where it runs in Docker.
   * @returns the way to have it go on
   * @throws Problem dependency-unavailable when it does not run
   */
  readonly hang: (() => Promise<() => void>) | undefined;
}

/**
 * Starts a Redis of our own, from `redis-server` or, failing that, from Docker. It is kept running, and ends with this
 * process, whatever becomes of that.
 * @returns undefined when this process was asked to stop before there was one
 * @throws Refusal when neither brings one up
 */
export async function startRedis(dataDir: string, tell: (line: string) => void): Promise<OwnRedis | undefined> {
  const port = await freePort();
  const dir = `${dataDir}/redis`;
  makeFolder(dir);
  const local = ["redis-server", "--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes"];
  const published = ["-p", `127.0.0.1:${port}:6379`, "redis:8"];
  const programs = {
    "redis-server": ["sh", "-c", KEEPER, "sh", ...local],
    docker: ["docker", "run", "--rm", "--init", "-i", ...published, "sh", "-c", KEEPER, "sh", "redis-server"],
  };
  const faults: string[] = [];
  for (const [program, command] of Object.entries(programs)) {
    const redis = new Supervised({
      name: `Redis (${program})`,
      start: () => startKeeper(command),
      whenReady: () => untilAnswer(port),
      end: (child) => child.stdin?.end(),
      tell,
    });
    const fault = await Promise.race([redis.ready, redis.failed, stopRequest]);
    if (fault === undefined) {
      const hang = program === "docker" ? undefined : () => stopRedis(port, redis);
      return { process: redis, url: `redis://127.0.0.1:${port}`, hang };
    }
    await redis.stop(RETRY_MS);
    if (typeof fault !== "string") return undefined;
    faults.push(fault);
  }
  throw new Refusal(`There is no Redis: install redis-server or Docker, or set REDIS_URL. (${faults.join("; ")})`);
}

/** Its log is not read: through a pipe that nobody empties it would freeze. */
function startKeeper([program = "", ...args]: readonly string[]): ChildProcess {
  const hasGroups = process.platform !== "win32";
  const child = spawn(program, args, { stdio: ["pipe", "ignore", "inherit"], detached: hasGroups });
  child.stdin?.on("error", () => {}); // it has ended
  child.once("exit", () => {
    if (!hasGroups || child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL"); // a keeper that was killed has left its Redis behind
    } catch {
      // there is nobody left
    }
  });
  return child;
}

/** Waits until a Redis answers; that its port is open does not say so, since Docker opens it first. */
async function untilAnswer(port: number): Promise<void> {
  const { Redis } = await import("ioredis");
  const patience = { maxRetriesPerRequest: null, retryStrategy: () => RETRY_MS, disconnectTimeout: RETRY_MS };
  const probe = new Redis({ port, host: "127.0.0.1", ...patience });
  probe.on("error", () => {}); // it is not there yet
  try {
    await probe.ping();
  } finally {
    probe.disconnect();
  }
}

/** It alone, and not its keeper, which would not notice any more that this process is gone. */
async function stopRedis(port: number, redis: Supervised): Promise<() => void> {
  const keeper = redis.child;
  const pid = await askPid(port);
  process.kill(pid, "SIGSTOP");
  return () => {
    if (redis.child === keeper) process.kill(pid, "SIGCONT"); // else it has ended, and the number may be another's
  };
}

async function askPid(port: number): Promise<number> {
  const { Redis } = await import("ioredis");
  const connection = new Redis({ port, host: "127.0.0.1", retryStrategy: () => null, commandTimeout: ANSWER_MS });
  connection.on("error", () => {}); // the command fails
  const told = await connection.info("server").catch(() => "");
  connection.disconnect();
  const [, pid] = /^process_id:(\d+)/m.exec(told) ?? [];
  if (pid === undefined) throw new Problem("dependency-unavailable", "Redis does not answer now.");
  return Number(pid);
}

async function freePort(): Promise<number> {
  const probe = await listen(() => {}, "127.0.0.1", 0);
  await probe.stop({ idleMs: 0, timeoutMs: 0 });
  return Number(new URL(probe.url).port);
}
