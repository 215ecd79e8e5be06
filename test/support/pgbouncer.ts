import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, DatabaseError } from "pg";
import { leftOut } from "./extent.ts";
import { ownerOfServer } from "./postgres.ts";
import { freePorts, until } from "./process.ts";

const START_TIMEOUT_MS = 10_000;
const REFUSED = "08P01"; // what it says to a role that it does not know

/** A PgBouncer in transaction mode: each transaction of a client may have another connection to the server. */
export interface Pooler {
  readonly port: number;
  /** Lets a role of the server sign in, without a password. Resolves once it can. */
  admit(role: string): Promise<void>;
  /** Starts it again after `kill`, on the same port. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Ends it and deletes its settings. */
  stop(): Promise<void>;
}

/** Why there can be no PgBouncer on this machine, and what to do, which the report of the run then tells; undefined where there can be one. */
export function missingPgbouncer(): string | undefined {
  if (program() !== undefined) return undefined;
  const reason = "There is no PgBouncer on this machine: install Debian's package `pgbouncer`, or have it on the path.";
  leftOut.add(`what goes through a PgBouncer: ${reason}`);
  return reason;
}

/** Starts one before a PostgreSQL of this machine. @throws Error when there can be none, or it does not start */
export async function startPooler(postgresPort: number): Promise<Pooler> {
  const path = program();
  if (path === undefined) throw new Error(missingPgbouncer());
  const owner = process.getuid?.() === 0 ? ownerOfServer() : undefined;
  const dir = await mkdtemp(join(tmpdir(), "pgbouncer-"));
  if (owner !== undefined) await chown(dir, owner.uid, owner.gid);
  const [port = 0] = await freePorts(1);
  const settings = join(dir, "pgbouncer.ini");
  const roles: string[] = [];
  const writeRoles = () => writeFile(join(dir, "users.txt"), roles.map((role) => `"${role}" ""\n`).join(""));
  await writeRoles();
  await writeFile(
    settings,
    [
      "[databases]",
      `* = host=127.0.0.1 port=${postgresPort}`,
      "[pgbouncer]",
      `listen_addr = 127.0.0.1`,
      `listen_port = ${port}`,
      "unix_socket_dir =",
      "auth_type = trust",
      `auth_file = ${join(dir, "users.txt")}`,
      "pool_mode = transaction",
      "default_pool_size = 4",
      "server_login_retry = 1", // seconds that it leaves a server alone which was away; 15 if left out
      "server_idle_timeout = 2", // each test has a role of its own, and a server not so many connections
    ].join("\n"),
  );
  let child: ChildProcess | undefined;
  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, "exit");
    running.kill("SIGKILL");
    await exited;
  };
  const stop = async () => {
    await kill();
    await rm(dir, { recursive: true, force: true });
  };
  const start = async () => {
    child = spawn(path, [settings], { ...owner, cwd: dir, stdio: "ignore" });
    if (await listens(port)) return;
    await stop();
    throw new Error(`PgBouncer did not start on port ${port}`);
  };
  await start();
  return {
    port,
    async admit(role) {
      roles.push(role);
      await writeRoles();
      child?.kill("SIGHUP"); // it reads the file when it comes to it
      await until(`PgBouncer knows ${role}`, () => canSignIn(role, port));
    },
    start,
    kill,
    stop,
  };
}

function program(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  return folders.map((folder) => join(folder, "pgbouncer")).find((path) => existsSync(path));
}

async function canSignIn(role: string, port: number): Promise<boolean> {
  const client = new Client({ host: "127.0.0.1", port, user: role, database: "postgres" });
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === REFUSED) return false;
    throw error;
  } finally {
    await client.end();
  }
}

async function listens(port: number): Promise<boolean> {
  for (const untilMs = Date.now() + START_TIMEOUT_MS; Date.now() < untilMs; await sleep(20)) {
    const socket = connect(port, "127.0.0.1");
    const connected = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return true;
  }
  return false;
}
