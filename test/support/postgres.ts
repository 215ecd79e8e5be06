import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync, realpathSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { leftOut } from "./extent.ts";
import { freePorts } from "./process.ts";

const run = promisify(execFile);
const START_TIMEOUT_MS = 120_000;

/** Nothing that is done to a server here takes the power from its machine, and the system keeps what a process that is killed has written. */
const UNSYNCED = "fsync=off";

/** Where Debian keeps each version's programs, beside the path. */
const DEBIAN = "/usr/lib/postgresql";

/** The superuser of a server that was started here. */
const SUPERUSER = "postgres";

/** A PostgreSQL of one's own, to be harmed at will. */
export interface PostgresServer {
  /** Of the superuser, to the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** The folder of its data and of what it says (`log`). */
  readonly dir: string;
  /** The postmaster's. */
  readonly pid: number;
  /** Makes an empty database. Resolves the superuser's URL of it. */
  createDatabase(): Promise<string>;
  /** Runs statements as the superuser. Resolves the rows of the last. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Starts it again after `kill`, on the same port, with the same data. */
  start(): Promise<void>;
  /** Kills its postmaster: all else of it ends by itself, and recovers when it is started. */
  kill(): Promise<void>;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
}

/** Why there can be no PostgreSQL on this machine, and what to do, which the report of the run then tells; undefined where there can be one. */
export function missingPostgres(): string | undefined {
  const reason = reasonOfMissing();
  if (reason !== undefined) leftOut.add(`what needs a PostgreSQL: ${reason}`);
  return reason;
}

function reasonOfMissing(): string | undefined {
  if (folderOfPrograms() === undefined) {
    return "There is no PostgreSQL on this machine: install Debian's package `postgresql`, or have `initdb` and `postgres` on the path.";
  }
  if (process.getuid?.() === 0 && ownerOfServer() === undefined) {
    return "PostgreSQL does not run as root, and there is no user `postgres` on this machine.";
  }
  return undefined;
}

/**
 * Starts an empty PostgreSQL on a free port of this machine, with its data in a temporary folder.
 * @param settings further ones of postgresql.conf, such as `max_connections=50`
 * @throws Error that says what to do when there can be none; see `missingPostgres`
 */
export function startPostgresServer(settings: readonly string[] = []): Promise<PostgresServer> {
  return startServer(settings, "initdb", ["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
}

/**
 * Starts a copy of the data of a server that goes on, beside it.
 * @param options of `pg_basebackup`, such as `-R` for a standby
 * @param at the port of the copy; a free one if left out
 */
export function copyPostgresServer(
  { port }: PostgresServer,
  options: readonly string[] = [],
  settings: readonly string[] = [],
  at?: number,
): Promise<PostgresServer> {
  const from = ["-h", "127.0.0.1", "-p", String(port), "-U", SUPERUSER, "--checkpoint=fast", "--no-sync"];
  return startServer(settings, "pg_basebackup", [...from, ...options], at);
}

/** @param make the program that makes its data, and with which options */
async function startServer(
  settings: readonly string[],
  make: string,
  options: readonly string[],
  at?: number,
): Promise<PostgresServer> {
  const programs = folderOfPrograms();
  const missing = missingPostgres();
  if (programs === undefined || missing !== undefined) throw new Error(missing);
  const owner = process.getuid?.() === 0 ? ownerOfServer() : undefined;
  const dir = await mkdtemp(join(tmpdir(), "postgres-"));
  if (owner !== undefined) await chown(dir, owner.uid, owner.gid);
  const data = join(dir, "data");
  await run(programOf(make), ["-D", data, ...options], { ...owner, cwd: dir });
  const [port = 0] = at === undefined ? await freePorts(1) : [at];
  const urlOf = (database: string) => `postgres://${SUPERUSER}@127.0.0.1:${port}/${database}`;
  const url = urlOf("postgres");
  let child: ChildProcess | undefined;
  let databases = 0;

  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined || hasEnded(running)) return;
    const exited = once(running, "exit");
    running.kill("SIGKILL");
    await exited;
  };
  const start = async () => {
    const where = ["listen_addresses=127.0.0.1", `port=${port}`, "unix_socket_directories="];
    const set = [...where, UNSYNCED, ...settings].flatMap((setting) => ["-c", setting]);
    const from = Date.now();
    // What is left of one that was killed ends by itself, and until then the next does not start.
    do {
      const log = openSync(join(dir, "log"), "a");
      child = spawn(join(programs, "postgres"), ["-D", data, ...set], {
        ...owner,
        cwd: dir,
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      if (await answers(url, child, from + START_TIMEOUT_MS)) return;
      await kill();
      await sleep(50);
    } while (Date.now() - from < START_TIMEOUT_MS);
    throw new Error(`PostgreSQL did not start on port ${port}`);
  };
  const query = <Row extends object>(text: string, values?: readonly unknown[]) => ask<Row>(url, text, values);
  await start();
  return {
    url,
    port,
    dir,
    get pid() {
      if (child?.pid === undefined) throw new Error("this PostgreSQL does not run");
      return child.pid;
    },
    async createDatabase() {
      const name = `test_${++databases}`;
      await query(`CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    query,
    start,
    kill,
    async stop() {
      await kill();
      await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

/** Runs statements by a connection of their own. Resolves the rows of the last. */
export async function ask<Row extends object>(url: string, text: string, values?: readonly unknown[]): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  try {
    await client.connect();
    const results = [await client.query<Row, unknown[]>(text, values && [...values])].flat();
    return results.at(-1)?.rows ?? [];
  } finally {
    await client.end();
  }
}

/** Whether it answers before it ends and before `untilMs`. */
async function answers(url: string, child: ChildProcess, untilMs: number): Promise<boolean> {
  while (!hasEnded(child) && Date.now() < untilMs) {
    const ready = await ask(url, "SELECT 1").then(
      () => true,
      () => false,
    );
    if (ready) return true;
    await sleep(20);
  }
  return false;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** The file of one of PostgreSQL's programs, of the server's version if that is beside it. @throws Error when there is none */
export function programOf(name: string): string {
  const server = folderOfPrograms() ?? "";
  const beside = dirname(realpathSync(join(server, "postgres"))); // the path may have links to some
  const file = [beside, ...folders()].map((folder) => join(folder, name)).find(existsSync);
  if (file === undefined) throw new Error(`There is no ${name} on this machine, as there is of a whole PostgreSQL.`);
  return file;
}

function folderOfPrograms(): string | undefined {
  return folders().find((folder) => ["initdb", "postgres"].every((program) => existsSync(join(folder, program))));
}

function folders(): readonly string[] {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((one, other) => Number(other) - Number(one)) : [];
  return [...(process.env.PATH ?? "").split(delimiter), ...versions.map((name) => join(DEBIAN, name, "bin"))];
}

/** Whom a server runs as where this process is root; undefined where there is no such user. */
export function ownerOfServer(): { readonly uid: number; readonly gid: number } | undefined {
  try {
    const id = (which: string) =>
      Number(execFileSync("id", [which, SUPERUSER], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined;
  }
}
