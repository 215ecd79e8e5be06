import { Client, type ClientConfig, type CustomTypesConfig, types } from "pg";
import { urlsOfHosts } from "../../postgres-url.ts";
import { describeVersions, type Versions } from "../../schema-state.ts";
import { Hosts } from "./hosts.ts";
import type { PostgresPlace } from "./options.ts";

/** How long a transaction may be open whose process says nothing: it may be stopped, or cut off. */
const IDLE_IN_TRANSACTION_MS = 5_000;

/** How long a statement waits for another's lock: longer than who is stopped keeps it. */
const LOCK_TIMEOUT_MS = 10_000;

/** How long an answer may take: whoever does not give one at all is cut off, and the connection with him. */
export const ANSWER_TIMEOUT_MS = 15_000;

/** How long it may take to make a connection, and to be given one of those that there are. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** int8 and numeric, which the driver would give as text: count, sum, and what SQLite calls INTEGER. */
const NUMBERS: readonly number[] = [types.builtins.INT8, types.builtins.NUMERIC];

const TYPES: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    NUMBERS.includes(oid) ? Number : types.getTypeParser(oid, format)) as CustomTypesConfig["getTypeParser"],
};

/**
 * Settings of each connection. They are in its startup packet, and not a SET, which costs a turn and which a pooler hands on to others:
 * where one is in between, the role has them (`ALTER ROLE … SET`), since a module has one of its own. That spares each statement the
 * schema's name.
 */
export function roleSettings(schema: string): ReadonlyMap<string, string> {
  return new Map([
    ["search_path", `"${schema}"`],
    ["default_transaction_isolation", "read committed"],
    ["idle_in_transaction_session_timeout", `${IDLE_IN_TRANSACTION_MS}`],
    ["lock_timeout", `${LOCK_TIMEOUT_MS}`],
    ["tcp_keepalives_idle", "5"],
    ["tcp_keepalives_interval", "2"],
    ["tcp_keepalives_count", "3"],
    ["jit", "off"], // compiling a statement of the log took half a second, where a table was not analysed yet
  ]);
}

/** Begins what waits for its turn by a lock: so it sees what was done before, whatever the isolation of its connection. */
export const BEGIN_IN_TURN = "BEGIN ISOLATION LEVEL READ COMMITTED";

/** How the driver connects, but for the server. */
export interface ConnectionConfig extends ClientConfig {
  readonly hosts: Hosts;
}

/** How connections are made. @throws Error when the URL is none */
export function connectionConfig(name: string, place: PostgresPlace, schema: string): ConnectionConfig {
  const [url = "", ...others] = urlsOfHosts(place.url) ?? [];
  // The driver reads the URL; what is given beside it would be ignored by its side.
  const first = new Client({ connectionString: url });
  const { user, database, password, ssl } = first;
  const servers = [first, ...others.map((connectionString) => new Client({ connectionString }))];
  return {
    hosts: new Hosts(servers.map(({ host, port }) => ({ host, port }))),
    user,
    database,
    password: place.password ?? password,
    ssl: place.tls ?? ssl,
    application_name: applicationOf(name),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    pipeline: true,
    types: TYPES,
    ...(place.pooled === true ? undefined : { options: startupOptions(schema, url, place.role) }),
  };
}

/** By this others see who is at a schema. @param known what versions of it his code knows, for one who serves it */
export function applicationOf(name: string, known?: Versions): string {
  return known === undefined ? `quartet ${name}` : `quartet ${name} ${describeVersions(known)}`;
}

/** Where it is, without a password: `postgres://host:5432/database, schema orders`. */
export function describePlace({ hosts, database }: ConnectionConfig, schema: string): string {
  const servers = hosts.all.map(({ host, port }) => `${host}:${port}`);
  return `postgres://${servers.join()}/${database}, schema ${schema}`;
}

/** Those of the URL come last, and so before these: `?options=-c default_transaction_isolation=serializable`. */
function startupOptions(schema: string, url: string, role: string | undefined): string {
  const settings = [...roleSettings(schema), ...(role === undefined ? [] : [["role", role] as const])];
  const own = settings.map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, "\\$&")}`);
  return [...own, ...new URL(url).searchParams.getAll("options")].join(" ");
}
