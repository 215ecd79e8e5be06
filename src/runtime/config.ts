import { existsSync, readFileSync } from "node:fs";
import { Refusal } from "../base/refusal.ts";
import { type CommandLine, flagOf, readCommandLine } from "./command-line.ts";
import { type ModuleName, remoteNeighbours, type ServiceName, servesAll } from "./modules.ts";
import { describeSettings, readSettings, tried, type ValuesOf } from "./setting.ts";
import {
  type DatabaseSetting,
  databaseSetting,
  longEnough,
  type PortSetting,
  portSetting,
  settings,
  urlSetting,
} from "./settings.ts";

type Values = ValuesOf<typeof settings>;

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
export const settingsHelp: string = describeSettings(settings);

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
  return configOf(readCommandLine(args, Object.keys(settings)), true);
}

/**
 * Reads what a command is told, and the configuration without knowing where others are: it only looks after files.
 * @throws Refusal when the command line cannot be read; ConfigError with every mistake of the settings
 */
export function readArguments(args: readonly string[], { flags = [], words = 0 }: Takes = {}): Arguments {
  const line = readCommandLine(args, [...Object.keys(settings), ...flags], words);
  if (line.mistakes.length > 0) throw new Refusal(line.mistakes.join("\n"));
  return { ...line, config: configOf(line, false) };
}

/** @param serves whether it has to know where others are */
function configOf(line: CommandLine, serves: boolean): Config {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const { values, mistakes, wrong, passedOver } = readSettings(settings, line.flags, process.env);
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
  if (serves && config.STANDBY !== true) mistakes.push(...missingNeighbours(config, wrong));
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
  const file = config.DATABASE_PASSWORD_FILE;
  if (file !== undefined && tried(() => readFileSync(file, "utf8"))(file) === undefined) {
    mistakes.push(`DATABASE_PASSWORD_FILE=${file}: expected a file that can be read`);
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
    const own = value?.find((url) => isOwnAddress(url, config));
    if (own !== undefined) {
      mistakes.push(`${setting}=${own}: expected another process, this is this process's own address`);
    }
  }
  if (!servesAll(config.SERVE) && config.REDIS_URL === undefined && !wrong.has("REDIS_URL")) {
    mistakes.push("REDIS_URL: expected the URL of a Redis, because not all modules are served here");
  }
  return mistakes;
}

/** This process's environment with some settings changed, for a process that it starts. */
export function environmentWith(changed: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return { ...process.env, ...changed };
}

/**
 * Where a module's database in PostgreSQL is, and whether other modules have their schemas there; undefined where it has a file.
 */
export function ownDatabase(
  config: Pick<Config, "DATABASE_URL" | DatabaseSetting>,
  name: ModuleName,
): { readonly url: string; readonly isShared: boolean } | undefined {
  const own = config[databaseSetting(name)];
  if (own !== undefined) return { url: own, isShared: false };
  return config.DATABASE_URL === undefined ? undefined : { url: config.DATABASE_URL, isShared: true };
}

/** The port a service listens on when it has one of its own. */
export function portOf(config: Pick<Config, "PORT" | PortSetting>, name: ServiceName): number {
  return config[name === "gateway" ? "PORT" : portSetting(name)];
}

/** The flag that sets the port a service listens on. */
export function portFlag(name: ServiceName): string {
  return `--${flagOf(name === "gateway" ? "PORT" : portSetting(name))}`;
}

function isOwnAddress(value: string, config: Omit<Config, "admin">): boolean {
  const { hostname, port: asked } = new URL(value);
  const own = servesAll(config.SERVE) ? [config.PORT] : config.SERVE.map((name) => portOf(config, name));
  return ["127.0.0.1", "localhost", "[::1]", config.HOST].includes(hostname) && own.includes(Number(asked || 80));
}
