import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { Refusal } from "../base/refusal.ts";
import { parseFaults } from "../call/faults.ts";
import { emailAddress } from "../contract/schemas.ts";
import { parseRateLimit, type RateLimitSetting } from "../gateway/rate-limit-setting.ts";
import { type CommandLine, flagOf, readCommandLine } from "./command-line.ts";
import {
  type ModuleName,
  moduleNames,
  remoteNeighbours,
  type ServiceName,
  servesAll,
  serviceNames,
} from "./modules.ts";
import {
  describeSettings,
  integer,
  ofOpenTelemetry,
  oneOf,
  optional,
  origin,
  readSettings,
  type Setting,
  text,
  toggle,
  tried,
  url,
  type ValuesOf,
} from "./setting.ts";

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

const table = {
  SERVE: serve(),
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
  REDIS_URL: url(["redis:", "rediss:"], "the Redis of bus and limiter"),
  REDIS_PREFIX: text("a name", "quartet:", "what all keys and channels in Redis begin with; another for each shop"),
  DATA_DIR: text("a folder", "./data", "where each module's database is"),
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

type Values = ValuesOf<typeof table>;

export interface Config extends Omit<Values, "SEED" | "ADMIN_EMAIL" | "ADMIN_PASSWORD" | "ADMIN_PASSWORD_FILE"> {
  readonly production: boolean;
  /** Where traces are exported to. */
  readonly tracesUrl: string | undefined;
  readonly SEED: boolean;
  readonly admin: { readonly email: string; readonly password: string } | undefined;
  /** What the environment sets and this program does not take: a line for its reader, by the setting's name. */
  readonly passedOver: ReadonlyMap<string, string>;
}

/** A configuration that cannot work; the message tells all its mistakes, one a line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** The lines of `--help`. */
export const settingsHelp: string = describeSettings(table);

/** What a command takes beside the settings. */
export interface Takes {
  /** The names of its own flags, as X_Y. */
  readonly flags?: readonly string[];
  /** How many words at the most. */
  readonly words?: number;
}

/** The configuration, and what else the command line says. */
export interface Arguments extends Pick<CommandLine, "flags" | "words"> {
  readonly config: Config;
}

/**
 * Reads the configuration from flags, environment and `.env`, in this order of precedence.
 * @throws ConfigError with every mistake at once
 */
export function readConfig(args: readonly string[]): Config {
  return configOf(readCommandLine(args, Object.keys(table)), true);
}

/**
 * Reads what a command is told, and the configuration without knowing where others are: it only looks after files.
 * @throws Refusal when the command line cannot be read; ConfigError with every mistake of the settings
 */
export function readArguments(args: readonly string[], { flags = [], words = 0 }: Takes = {}): Arguments {
  const line = readCommandLine(args, [...Object.keys(table), ...flags], words);
  if (line.mistakes.length > 0) throw new Refusal(line.mistakes.join("\n"));
  return { ...line, config: configOf(line, false) };
}

/** @param serves whether it has to know where others are */
function configOf(line: CommandLine, serves: boolean): Config {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const { values, mistakes, wrong, passedOver } = readSettings(table, line.flags, process.env);
  mistakes.unshift(...line.mistakes);
  const production = values.NODE_ENV === "production";
  const { ADMIN_EMAIL: _e, ADMIN_PASSWORD: _p, ADMIN_PASSWORD_FILE: _f, ...rest } = values;
  const tracesUrl = tracesUrlOf(values);
  const config = {
    ...rest,
    production,
    tracesUrl,
    SEED: values.SEED ?? !production,
    admin: readAdmin(values, mistakes),
    passedOver,
  };
  mistakes.push(...contradictions(config));
  if (serves) mistakes.push(...missingNeighbours(config, wrong));
  if (mistakes.length > 0) throw new ConfigError(mistakes.join("\n"));
  return config;
}

/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/: the one for traces is taken as it is. */
function tracesUrlOf(values: Values): string | undefined {
  if (values.OTEL_SDK_DISABLED === true || values.OTEL_TRACES_EXPORTER === "none") return undefined;
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_EXPORTER_OTLP_ENDPOINT: base } = values;
  return own ?? (base && `${base}/v1/traces`);
}

function readAdmin(values: Values, mistakes: string[]): Config["admin"] {
  const password = readPassword(values, mistakes);
  if (mistakes.some((mistake) => mistake.startsWith("ADMIN_"))) return undefined;
  if (values.ADMIN_EMAIL !== undefined && password !== undefined) return { email: values.ADMIN_EMAIL, password };
  if (values.ADMIN_EMAIL !== undefined)
    mistakes.push("ADMIN_EMAIL: expected ADMIN_PASSWORD or ADMIN_PASSWORD_FILE with it");
  else if (password !== undefined) mistakes.push("ADMIN_PASSWORD: expected ADMIN_EMAIL with it");
  return undefined;
}

function readPassword(values: Values, mistakes: string[]): string | undefined {
  const file = values.ADMIN_PASSWORD_FILE;
  if (file === undefined) return values.ADMIN_PASSWORD;
  const password = tried(() => readFileSync(file, "utf8").trim())(file);
  if (password === undefined) mistakes.push(`ADMIN_PASSWORD_FILE=${file}: expected a file that can be read`);
  else if (longEnough(password) === undefined)
    mistakes.push(`ADMIN_PASSWORD_FILE=${file}: expected 12 characters or more in it`);
  return password;
}

/** What is wrong between settings that are each right. */
function contradictions(config: Omit<Config, "admin">): string[] {
  const mistakes: string[] = [];
  if (config.production && config.FAULTS !== undefined) mistakes.push("FAULTS: expected to be left out in production");
  if (config.production && config.SEED) mistakes.push("SEED=on: expected to be off in production");
  if (config.HEADERS_TIMEOUT > config.REQUEST_TIMEOUT) {
    mistakes.push(`HEADERS_TIMEOUT=${config.HEADERS_TIMEOUT}: expected no more than REQUEST_TIMEOUT`);
  }
  return mistakes;
}

/**
 * What a process that serves only some modules has to know of the others, and does not.
 * @param wrong the settings of which it is told already that they are wrong, so that they are not also missing
 */
function missingNeighbours(config: Omit<Config, "admin">, wrong: ReadonlySet<string>): string[] {
  const mistakes: string[] = [];
  for (const name of remoteNeighbours(config.SERVE)) {
    const setting = urlSetting(name);
    if (wrong.has(setting)) continue;
    const value = config[setting];
    if (value === undefined) mistakes.push(`${setting}: expected the URL of ${name}, which is not served here`);
    else if (isOwnAddress(value, config)) {
      mistakes.push(`${setting}=${value}: expected another process, this is this process's own address`);
    }
  }
  if (!servesAll(config.SERVE) && config.REDIS_URL === undefined && !wrong.has("REDIS_URL")) {
    mistakes.push("REDIS_URL: expected the URL of a Redis, because not all modules are served here");
  }
  return mistakes;
}

/** This process's environment with some settings changed, for a process that it starts. */
export function environmentWith(settings: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return { ...process.env, ...settings };
}

/** The port a service listens on when it has one of its own. */
export function portOf(config: Pick<Config, "PORT" | PortSetting>, name: ServiceName): number {
  return config[name === "gateway" ? "PORT" : portSetting(name)];
}

/** The flag that sets the port a service listens on. */
export function portFlag(name: ServiceName): string {
  return `--${flagOf(name === "gateway" ? "PORT" : portSetting(name))}`;
}

type PortSetting = `${Uppercase<ModuleName>}_PORT`;
type UrlSetting = `${Uppercase<ModuleName>}_URL`;

/** The name of the setting that says where a module is. */
export function urlSetting(name: ModuleName): UrlSetting {
  return `${name.toUpperCase() as Uppercase<typeof name>}_URL`;
}

function portSetting(name: ModuleName): PortSetting {
  return `${name.toUpperCase() as Uppercase<typeof name>}_PORT`;
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
    return [urlSetting(name), origin(["http:"], `where ${name} is, when not served here`)] as const;
  });
  return Object.fromEntries(urls) as Readonly<Record<UrlSetting, Setting<string | undefined>>>;
}

function isOwnAddress(value: string, config: Omit<Config, "admin">): boolean {
  const { hostname, port: asked } = new URL(value);
  const own = servesAll(config.SERVE) ? [config.PORT] : config.SERVE.map((name) => portOf(config, name));
  return ["127.0.0.1", "localhost", "[::1]", config.HOST].includes(hostname) && own.includes(Number(asked || 80));
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

function longEnough(password: string): string | undefined {
  return [...password].length >= 12 ? password : undefined;
}
