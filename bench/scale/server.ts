import { readFileSync } from "node:fs";
import { Client } from "pg";
import { type PostgresServer, startPostgresServer } from "../../test/support/postgres.ts";
import { cpuMicrosOf, type Process } from "../processes.ts";

/** What a server has written since it was made. */
export interface Written {
  readonly walBytes: number;
  /** Rows that were inserted, changed or deleted, as far as its backends have told: each does within ten seconds. */
  readonly rows: number;
  readonly commits: number;
  /** How often its log was brought to the disk. */
  readonly syncs: number;
}

/** A PostgreSQL that is measured, by a connection that is not counted itself. */
export interface Server extends Process {
  /** Of the superuser, to the database of the shop. */
  readonly url: string;
  ask<Row extends object>(text: string): Promise<Row[]>;
  written(): Promise<Written>;
}

/**
 * Starts a server as it comes, which may have more connections.
 * @throws Error that says what to do where there is no PostgreSQL
 */
export async function startServer(name: string): Promise<Server> {
  const postgres = await startPostgresServer(["max_connections=400", "fsync=on"]);
  const end = () => process.kill(postgres.pid, "SIGQUIT");
  process.once("exit", end); // it does not outlive us
  const url = await postgres.createDatabase();
  const client = new Client({ connectionString: url });
  await client.connect();
  let last: Promise<unknown> = Promise.resolve();
  const ask = <Row extends object>(text: string): Promise<Row[]> => {
    const asked = last.then(() => client.query<Row>(text)).then(({ rows }) => rows);
    last = asked.catch(() => undefined); // one after the other
    return asked;
  };
  const [{ pid: watcher = 0 } = {}] = await ask<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return {
    name,
    url,
    ask,
    cpuMicros: () => cpuOfServer(postgres, watcher),
    memoryBytes: () => Number.NaN,
    async written() {
      const [found] = await ask<Record<keyof Written, string>>(WRITTEN);
      const { walBytes, rows, commits, syncs } = found ?? {};
      return { walBytes: Number(walBytes), rows: Number(rows), commits: Number(commits), syncs: Number(syncs) };
    },
    async stop() {
      process.off("exit", end);
      await client.end();
      await postgres.stop();
    },
  };
}

const WRITTEN = `SELECT pg_current_wal_insert_lsn() - '0/0' AS "walBytes",
  (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables) AS rows,
  (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,
  (SELECT wal_sync FROM pg_stat_wal) AS syncs`;

/** Of the postmaster and all that it has started: what has ended is counted with it. */
function cpuOfServer({ pid }: PostgresServer, watcher: number): number {
  const { own, ended } = cpuMicrosOf(pid);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
  const live = children.filter((child) => child !== watcher).map(cpuOfChild);
  return live.reduce((sum, each) => sum + each, own + ended);
}

/** It may have ended since it was seen, and is counted with the postmaster the next time. */
function cpuOfChild(pid: number): number {
  try {
    return cpuMicrosOf(pid).own;
  } catch {
    return 0;
  }
}
