import { hostname } from "node:os";
import { parseSentinelUrl, sentinelUrlForm } from "../bus/redis/sentinels.ts";
import { parseFaults } from "../call/faults.ts";
import { emailAddress } from "../contract/schemas.ts";
import { parseRateLimit, type RateLimitSetting } from "../gateway/rate-limit-setting.ts";
import { urlsOfHosts } from "../store/postgres-url.ts";
import { type ModuleName, moduleNames, type ServiceName, serviceNames } from "./modules.ts";
import {
  integer,
  ofOpenTelemetry,
  oneOf,
  optional,
  origin,
  origins,
  type Setting,
  text,
  toggle,
  tried,
  url,
} from "./setting.ts";

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** All settings of a process: the environment variable `X_Y` is also the flag `--x-y`. */
export const settings = {
  SERVE: serve(),
  STANDBY: toggle("on for a process that serves its modules only once they have been moved to it, with `move`"),
  NODE_ENV: oneOf(
    ["development", "production", "test"],
    "development",
    "production turns off all that is for trying out",
  ),
  HOST: {
    ...text("an address of this machine", "127.0.0.1", "address to listen on"),
    passesOver: (value) =>
      isShellsHost(value) ? "passed over, for shells set it by themselves; --host is meant" : undefined,
  },
  PORT: port(8000, "the gateway's port, and the only one of a process that serves all"),
  ...modulePorts(),
  ...moduleUrls(),
  GATEWAY_URL: origin(["http:", "https:"], "where commands find the gateway; at HOST and PORT if left out"),
  REDIS_URL: redis(),
  REDIS_PREFIX: text("a name", "quartet:", "what all keys and channels in Redis begin with; another for each shop"),
  DATA_DIR: text("a folder", "./data", "where each module's database is, if it is not in PostgreSQL"),
  DATABASE_URL: database("the PostgreSQL in which each module has a schema; each has a file in DATA_DIR if left out"),
  ...moduleDatabases(),
  DATABASE_PASSWORD_FILE: optional(
    "a file",
    "file that holds the password of these, read anew for each connection",
    (value) => value,
  ),
  DATABASE_POOLED: toggle("on behind a pooler such as PgBouncer in transaction mode"),
  MIGRATE: toggle("off where `migrate` is run before a start, which then changes no schema"),
  HEADERS_TIMEOUT: integer(50, 600_000, 10_000, "milliseconds in which a request's headers must have come"),
  REQUEST_TIMEOUT: integer(50, 600_000, 30_000, "milliseconds in which a request must have come, body included"),
  CALL_TIMEOUT: integer(50, 60_000, 2_000, "milliseconds that a request may take"),
  HTTP_CLIENT: oneOf(["undici", "node-fetch"], "undici", "transport of calls between processes"),
  RATE_LIMIT: rateLimit("100/60s", "requests per caller"),
  AUTH_RATE_LIMIT: rateLimit("10/60s", "registrations, logins and password changes per address"),
  REFRESH_RATE_LIMIT: rateLimit("60/60s", "exchanges of refresh tokens per address"),
  CORS_ORIGINS: optional(
    "origins such as https://shop.example, separated by commas",
    "origins of pages that may use the API; none if left out",
    readOrigins,
  ),
  TRUSTED_PROXIES: integer(0, 10, 0, "hops in front whose X-Forwarded-For counts"),
  JWT_KEY_FILE: optional(
    "a file",
    "PEM of the ES256 key that signs tokens; made and kept if left out",
    (value) => value,
  ),
  JWT_ISSUER: text("a name", "quartet", "issuer of tokens"),
  JWT_AUDIENCE: text("a name", "quartet", "audience of tokens"),
  TOKEN_TTL: integer(10, 86_400, 3_600, "seconds that a token lives"),
  REFRESH_TTL: integer(60, 31_536_000, 2_592_000, "seconds that a refresh token lives that is not used"),
  KEY_LEAD: integer(3, 86_400, 600, "seconds from publishing a new signing key to signing with it"),
  LOGIN_FAILURES: integer(1, 1_000_000, 10, "wrong passwords in a row for one account before it is slowed down"),
  BCRYPT_COST: integer(4, 15, 10, "cost of a password hash, as a power of two"),
  ADMIN_EMAIL: optional(
    "an e-mail address",
    "the first admin, made at start",
    (value) => emailAddress.safeParse(value).data, // as signing in asks for
  ),
  ADMIN_PASSWORD: optional("12 characters or more", "the first admin's password", longEnough, true),
  ADMIN_PASSWORD_FILE: optional("a file", "file that holds ADMIN_PASSWORD", (value) => value),
  ADMIN_TOKEN: optional(
    "a token",
    "whom commands act for; if left out, the first admin signs in",
    (value) => value,
    true,
  ),
  SEED: toggle("write demo data; on outside production"),
  FAULTS: optional(
    "faults such as users.getUser=unavailable",
    "faults to inject; never in production",
    tried(parseFaults),
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: ofOpenTelemetry(
    url(["http:", "https:"], "OTLP receiver; traces go to /v1/traces below it"),
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ofOpenTelemetry(
    url(["http:", "https:"], "the whole URL that traces go to, where it is another"),
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: ofOpenTelemetry(oneOf(["http/protobuf"], "http/protobuf", "how traces are sent")),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: ofOpenTelemetry(oneOf(["http/protobuf"], "http/protobuf", "the same for traces")),
  OTEL_TRACES_EXPORTER: ofOpenTelemetry(tracesExporter()),
  OTEL_SDK_DISABLED: ofOpenTelemetry(toggle("on exports nothing")),
  LOG_LEVEL: oneOf(LOG_LEVELS, "info", "the least severe messages to print"),
} satisfies Readonly<Record<string, Setting<unknown>>>;

export type DatabaseSetting = `${Uppercase<ModuleName>}_DATABASE_URL`;
export type PortSetting = `${Uppercase<ModuleName>}_PORT`;
type UrlSetting = `${Uppercase<ModuleName>}_URL`;

/** The name of the setting that says where a module is. */
export function urlSetting(name: ModuleName): UrlSetting {
  return `${name.toUpperCase() as Uppercase<typeof name>}_URL`;
}

/** The name of the setting that says on which port a module listens that is served apart. */
export function portSetting(name: ModuleName): PortSetting {
  return `${name.toUpperCase() as Uppercase<typeof name>}_PORT`;
}

/** The name of the setting that says where a module's own database is. */
export function databaseSetting(name: ModuleName): DatabaseSetting {
  return `${name.toUpperCase() as Uppercase<typeof name>}_DATABASE_URL`;
}

/** Ports from 8001 on, in the order of the list of modules. */
function modulePorts() {
  const ports = moduleNames.map((name, at) => {
    return [portSetting(name), port(8001 + at, `port of ${name} where it is served apart`)] as const;
  });
  return Object.fromEntries(ports) as Readonly<Record<PortSetting, Setting<number>>>;
}

function moduleUrls() {
  const urls = moduleNames.map((name) => {
    return [urlSetting(name), origins(["http:"], `where ${name} is, when not served here`)] as const;
  });
  return Object.fromEntries(urls) as Readonly<Record<UrlSetting, Setting<readonly string[] | undefined>>>;
}

function moduleDatabases() {
  const databases = moduleNames.map((name) => {
    return [databaseSetting(name), database(`that of ${name} alone, by a role of its own`)] as const;
  });
  return Object.fromEntries(databases) as Readonly<Record<DatabaseSetting, Setting<string | undefined>>>;
}

/** A password may be in it. */
function redis(): Setting<string | undefined> {
  const one = url(["redis:", "rediss:"], "the Redis of bus and limiter, or the sentinels that know which it is");
  return {
    ...one,
    expected: `${one.expected}, or ${sentinelUrlForm}`,
    secret: (value) => /[@?]/.test(value),
    parse: (value) => (parseSentinelUrl(value) === undefined ? one.parse(value) : value),
  };
}

/** A password may be in it. */
function database(meaning: string): Setting<string | undefined> {
  const expected =
    "postgres://user@host:port/name, or with several hosts, separated by commas, to write to one of them";
  const parse = (value: string) => (urlsOfHosts(value) === undefined ? undefined : value.replace(/\/+$/, ""));
  return optional(expected, meaning, parse, true);
}

function serve(): Setting<readonly ServiceName[]> {
  return {
    expected: `all, or some of ${serviceNames.join(",")}`,
    meaning: "what this process serves",
    fallback: serviceNames,
    usual: "all",
    parse(value) {
      if (value === "all") return serviceNames;
      const names = value.split(",").map((name) => name.trim());
      const known = serviceNames.filter((name) => names.includes(name));
      return known.length === names.length ? known : undefined;
    },
  };
}

function port(fallback: number, meaning: string): Setting<number> {
  return {
    ...integer(0, 65_535, fallback, meaning),
    passesOver: (value) =>
      /^(tcp|udp|sctp):\/\//.test(value)
        ? "passed over, for it is the link to a Service that Kubernetes sets, and no port"
        : undefined,
  };
}

/** csh and tcsh set HOST to the machine's name, Conda's compilers to that of the platform. */
function isShellsHost(value: string): boolean {
  return value === hostname() || /^[\w-]+-conda[-_]/.test(value);
}

/** A list, of which only OTLP is known here. */
function tracesExporter(): Setting<"otlp" | "none"> {
  return {
    ...oneOf(["otlp", "none"], "otlp", "none exports no traces"),
    parse: (value) => {
      const names = value.split(",").map((name) => name.trim());
      return names.includes("otlp") ? "otlp" : names.length === 1 && names[0] === "none" ? "none" : undefined;
    },
  };
}

function rateLimit(fallback: string, meaning: string): Setting<RateLimitSetting> {
  return {
    expected: "a limit such as 100/60s, or off",
    meaning,
    fallback: parseRateLimit(fallback),
    usual: fallback,
    parse: tried(parseRateLimit),
  };
}

/** Origins as browsers write them (RFC 6454, 6.1): without a path, or a port that is the usual one. */
function readOrigins(value: string): readonly string[] | undefined {
  const origins = value.split(",").map((origin) => origin.trim());
  const isOrigin = (origin: string) =>
    /^https?:/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin;
  return origins.every(isOrigin) ? origins : undefined;
}

/** A password that may be the first admin's, undefined for any other. */
export function longEnough(password: string): string | undefined {
  return [...password].length >= 12 ? password : undefined;
}
