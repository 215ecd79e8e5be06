import { roleSettings } from "../../src/store/engines/postgres/connection.ts";
import { MODULES, type ModuleName } from "./databases.ts";
import { type Pooler, startPooler } from "./pgbouncer.ts";
import { type PostgresServer, startPostgresServer } from "./postgres.ts";

/** What is other than usual about a shop's PostgreSQL. */
export interface DatabaseWays {
  /** A PgBouncer is in between, in transaction mode. */
  readonly pooled?: boolean;
  /** Whatever says nothing of its isolation is SERIALIZABLE. */
  readonly serializable?: boolean;
}

/** A PostgreSQL of a shop's own. */
export interface ShopDatabase {
  readonly server: PostgresServer;
  readonly pooler: Pooler | undefined;
  /** Of the superuser, past any pooler. */
  readonly url: string;
  /** What the shop is told of it. */
  readonly settings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const SERIALIZABLE = "options=-c default_transaction_isolation=serializable";

/** Starts one with an empty database. @param modules those whose data are to be in it */
export async function startShopDatabase(
  modules: readonly ModuleName[],
  { pooled = false, serializable = false }: DatabaseWays,
): Promise<ShopDatabase> {
  const server = await startPostgresServer();
  let pooler: Pooler | undefined;
  const stop = async () => {
    await pooler?.stop();
    await server.stop();
  };
  try {
    const url = await server.createDatabase();
    if (!pooled) {
      const settings = settingsOf(modules, serializable ? `${url}?${SERIALIZABLE}` : url);
      return { server, pooler, url, settings, stop };
    }
    pooler = await startPooler(server.port);
    return { server, pooler, url, settings: await throughPooler(server, pooler, url, serializable), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settingsOf(modules: readonly ModuleName[], url: string): Readonly<Record<string, string>> {
  if (modules.length === MODULES.length) return { DATABASE_URL: url };
  return Object.fromEntries(modules.map((name) => [settingOf(name), url]));
}

function settingOf(module: ModuleName): string {
  return `${module.toUpperCase()}_DATABASE_URL`;
}

/** Each module has a URL with a role of its own. */
async function throughPooler(
  server: PostgresServer,
  pooler: Pooler,
  url: string,
  serializable: boolean,
): Promise<Readonly<Record<string, string>>> {
  const settings: Record<string, string> = { DATABASE_POOLED: "on" };
  for (const name of MODULES) {
    const role = `shop_${name}`;
    const own = new URL(url);
    await makePooledRole(server, role, own.pathname.slice(1), name);
    if (serializable) await server.query(`ALTER ROLE ${role} SET default_transaction_isolation = serializable`);
    await pooler.admit(role);
    own.username = role;
    own.port = `${pooler.port}`;
    settings[settingOf(name)] = own.href;
  }
  return settings;
}

/** Makes a role as a module needs it behind a pooler, which would lose the settings of a connection: the role has them. */
export async function makePooledRole(
  { query }: PostgresServer,
  role: string,
  database: string,
  schema: string,
): Promise<void> {
  await query(`CREATE ROLE ${role} LOGIN; GRANT CREATE ON DATABASE ${database} TO ${role}`);
  for (const [name, value] of roleSettings(schema)) {
    const written = name === "search_path" ? value : `'${value}'`;
    await query(`ALTER ROLE ${role} SET ${name} = ${written}`);
  }
}
