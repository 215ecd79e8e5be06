import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePorts, until } from "./process.ts";
import { findProgram } from "./programs.ts";
import { type RedisServer, startRedisServer } from "./redis.ts";

/** Of the servers, and of the sentinels. */
export const PASSWORD = "secret-word";

/** What the sentinels call the primary. */
const PRIMARY = "mymaster";

/** How long the primary has to be silent to be taken for gone. */
const DOWN_AFTER_MS = 8_000;

const SENTINELS = 3;

/** A primary, its replica, and the sentinels that put that one in its place when it is gone. */
export interface SentinelRedis {
  /** For REDIS_URL. */
  readonly url: string;
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** The replica gets nothing any more of what is written to the primary, from now on. */
  cutReplica(): Promise<void>;
  /** Kills the primary, and a sentinel, as when the machine of both is lost. */
  losePrimary(): Promise<void>;
  /** Which port is the primary's, as most sentinels have it. */
  primaryPort(): Promise<number>;
  stop(): Promise<void>;
}

export async function startSentinelRedis(): Promise<SentinelRedis> {
  const primary = await startRedisServer(["--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"]);
  const replica = await startRedisServer(["--masterauth", PASSWORD, "--replicaof", `127.0.0.1 ${primary.port}`]);
  const folder = await mkdtemp(join(tmpdir(), "sentinels-"));
  const ports = await freePorts(SENTINELS);
  for (const { port } of [primary, replica]) await demandPassword(port);
  const known = { primary: primary.port, replica: replica.port, sentinels: ports };
  const children = await Promise.all(ports.map((port) => startSentinel(folder, port, known)));
  const clients = [...ports, primary.port, replica.port].map(connect);
  const sentinels = clients.slice(0, SENTINELS);
  const [onPrimary, onReplica] = clients.slice(SENTINELS) as [Redis, Redis];

  /** What each of those sentinels that run answers, a row of names and values in turn. */
  const asked = async (sentinel: Redis, what: string) =>
    (await sentinel.call("SENTINEL", what, PRIMARY).catch(() => undefined)) as string[] | undefined;
  const isKnown = async (sentinel: Redis) => {
    const about = (await asked(sentinel, "MASTER")) ?? [];
    const told = Object.fromEntries(about.flatMap((name, at) => (at % 2 === 0 ? [[name, about[at + 1]]] : [])));
    return told["num-slaves"] === "1" && told["num-other-sentinels"] === `${SENTINELS - 1}`;
  };
  const stop = async () => {
    for (const client of clients) client.disconnect();
    for (const child of children) child.kill("SIGKILL");
    await Promise.all([primary.stop(), replica.stop()]);
    await rm(folder, { recursive: true, force: true });
  };

  try {
    await until("the replica follows", async () => (await onReplica.info("replication")).includes("link_status:up"));
    for (const sentinel of sentinels) await until("a sentinel knows all others", () => isKnown(sentinel));
  } catch (error) {
    await stop();
    throw error;
  }
  const addresses = ports.map((port) => `127.0.0.1:${port}`).join(",");
  return {
    url: `redis+sentinel://:${PASSWORD}@${addresses}/${PRIMARY}?sentinel_password=${PASSWORD}`,
    primary,
    replica,
    async cutReplica() {
      await onReplica.config("SET", "masterauth", "not the password");
      await onReplica.config("SET", "masteruser", "nobody");
      await onPrimary.call("CLIENT", "KILL", "TYPE", "replica");
      await until("the replica is cut off", async () => (await onReplica.info("replication")).includes("status:down"));
    },
    async losePrimary() {
      children[0]?.kill("SIGKILL");
      await primary.kill();
    },
    async primaryPort() {
      const answers = await Promise.all(sentinels.slice(1).map((each) => asked(each, "GET-MASTER-ADDR-BY-NAME")));
      const told = new Set(answers.map((answer) => Number(answer?.[1])));
      return told.size === 1 ? ([...told][0] ?? 0) : 0;
    },
    stop,
  };
}

/** 40 hexadecimal digits. */
function idOf(port: number): string {
  return port.toString(16).padStart(40, "0");
}

function connect(port: number): Redis {
  return new Redis({ port, host: "127.0.0.1", password: PASSWORD }).on("error", () => {});
}

async function demandPassword(port: number): Promise<void> {
  const redis = new Redis({ port, host: "127.0.0.1" });
  try {
    await redis.config("SET", "requirepass", PASSWORD);
  } finally {
    redis.disconnect();
  }
}

/** It knows the others from the beginning; to find them would take it ten seconds. */
async function startSentinel(
  folder: string,
  port: number,
  known: { readonly primary: number; readonly replica: number; readonly sentinels: readonly number[] },
): Promise<ChildProcess> {
  const others = known.sentinels.filter((other) => other !== port);
  const program = await findProgram("redis-server");
  if (program === undefined) throw new Error("there is no redis-server");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel myid ${idOf(port)}`,
    `sentinel monitor ${PRIMARY} 127.0.0.1 ${known.primary} 2`,
    `sentinel known-replica ${PRIMARY} 127.0.0.1 ${known.replica}`,
    ...others.map((other) => `sentinel known-sentinel ${PRIMARY} 127.0.0.1 ${other} ${idOf(other)}`),
    `sentinel down-after-milliseconds ${PRIMARY} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${PRIMARY} 5000`,
    `requirepass ${PASSWORD}`,
    `sentinel auth-pass ${PRIMARY} ${PASSWORD}`,
  ];
  const file = join(folder, `${port}.conf`);
  await writeFile(file, `${lines.join("\n")}\n`);
  const child = spawn(program, [file, "--sentinel"], { stdio: "ignore" });
  await once(child, "spawn");
  return child;
}
