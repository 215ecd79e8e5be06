import { copyPostgresServer, type PostgresServer, startPostgresServer } from "./postgres.ts";
import { until } from "./process.ts";

/** Whether the primary says of a commit that it is done when the standby has it on disk, or does not wait. */
export type Replication = "synchronous" | "asynchronous";

/**
 * A PostgreSQL of one's own and a standby that follows it and can take its place, again and again. The two ports stay: where one of them
 * dies, another is made.
 */
export interface PostgresPair {
  /** Of the superuser, to the database `postgres`, with both as hosts. */
  readonly url: string;
  /** The one that can be written to. */
  readonly primary: PostgresServer;
  /** Undefined after a failover, until another is made. */
  readonly standby: PostgresServer | undefined;
  /** Makes an empty database. Resolves the superuser's URL of it, with both as hosts. */
  createDatabase(): Promise<string>;
  /** The same database by the primary alone, as it is now. @param url with both as hosts */
  atPrimary(url: string): string;
  /** The primary goes on alone in what it writes: the standby receives no more. */
  cutOff(): Promise<void>;
  /** Kills the primary. */
  killPrimary(): Promise<void>;
  /** Makes the standby the primary, which then has no standby. Resolves when it can be written to. */
  promote(): Promise<void>;
  /** Makes a standby of the primary in place of the one that is gone. Resolves when it follows. */
  renewStandby(): Promise<void>;
  /** Ends both and deletes their data. */
  stop(): Promise<void>;
}

const READ_WRITE = "target_session_attrs=read-write";

/** @param further settings of postgresql.conf, for both @throws Error as `startPostgresServer` */
export async function startPostgresPair(
  replication: Replication,
  further: readonly string[] = [],
): Promise<PostgresPair> {
  const settings = [...further, "wal_retrieve_retry_interval=100ms"]; // else a promotion now and then takes five seconds more
  let primary = await startPostgresServer(settings);
  let standby: PostgresServer | undefined;
  let free: number | undefined;

  const follow = async () => {
    // Without the names of those for whom the primary waits: once promoted, it has none to wait for.
    standby = await copyPostgresServer(primary, ["-R"], settings, free);
    if (replication === "synchronous") await set(primary, "synchronous_standby_names", "*");
    const wanted = replication === "synchronous" ? "sync" : "async";
    await until(`the standby is ${replication}`, async () => {
      const followers = await primary.query<{ state: string }>(
        "SELECT sync_state AS state FROM pg_stat_replication WHERE state = 'streaming'",
      );
      return followers.some(({ state }) => state === wanted);
    });
  };
  const follower = () => {
    if (standby === undefined) throw new Error("there is no standby");
    return standby;
  };

  try {
    await follow();
  } catch (error) {
    await Promise.all([primary.stop(), standby?.stop()]);
    throw error;
  }
  const hosts = `127.0.0.1:${primary.port},127.0.0.1:${follower().port}`;
  const withBoth = (url: string) => `${url.replace(`127.0.0.1:${primary.port}`, hosts)}?${READ_WRITE}`;
  return {
    url: withBoth(primary.url),
    get primary() {
      return primary;
    },
    get standby() {
      return standby;
    },
    createDatabase: async () => withBoth(await primary.createDatabase()),
    atPrimary: (url) => url.replace(hosts, `127.0.0.1:${primary.port}`).replace(`?${READ_WRITE}`, ""),
    async cutOff() {
      await set(follower(), "primary_conninfo", "");
      await until("the standby receives no more", async () => {
        return (await follower().query("SELECT FROM pg_stat_wal_receiver")).length === 0;
      });
    },
    killPrimary: () => primary.kill(),
    async promote() {
      const promoted = follower();
      await promoted.query("SELECT pg_promote()");
      await until("it is promoted", async () => {
        const [found] = await promoted.query<{ follows: boolean }>("SELECT pg_is_in_recovery() AS follows");
        return found?.follows === false;
      });
      const former = primary;
      primary = promoted;
      standby = undefined;
      free = former.port;
      await former.stop();
    },
    renewStandby: follow,
    async stop() {
      await Promise.all([primary.stop(), standby?.stop()]);
    },
  };
}

/** Changes a setting while it runs. */
async function set(server: PostgresServer, name: string, value: string): Promise<void> {
  await server.query(`ALTER SYSTEM SET ${name} = '${value}'`); // outside a transaction: one statement at a time
  await server.query("SELECT pg_reload_conf()");
}
