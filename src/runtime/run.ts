import type { Logger } from "pino";
import { isProblem } from "../contract/problem.ts";
import { StartRefusal } from "../modules/module.ts";
import { DEMO_USERS } from "../modules/users/index.ts";
import { StoreRefusal } from "../store/store-refusal.ts";
import { commands } from "./commands/index.ts";
import type { Step } from "./compose.ts";
import { type Config, ConfigError, portFlag, portOf, readConfig, settingsHelp } from "./config.ts";
import { changeLevelOnSignal } from "./log-level.ts";
import { createLogger } from "./logger.ts";
import { listeningServices } from "./modules.ts";
import { OperatorError } from "./operator-error.ts";
import { type Running, start } from "./start.ts";

/** A stop that takes longer is cut short. */
const STOP_TIMEOUT_MS = 9_500;

/**
 * The program: reads the configuration and serves, until a signal stops it; or does what a command says. What keeps it
 * from starting is told in clear lines, and the process ends with status 1.
 * @param args the command line's arguments: perhaps a command, then flags
 */
export async function run(args: readonly string[]): Promise<void> {
  const [first = ""] = args;
  const command = commands[first];
  try {
    if (args.includes("--help")) console.log(help());
    else if (command !== undefined) await command.run(args.slice(1));
    else if (/^[a-z]/.test(first)) throw new OperatorError(`${first}: there is no such command; --help lists them`);
    else await serve(readConfig(args));
  } catch (error) {
    console.error(reasonOf(error));
    process.exit(1);
  }
}

function help(): string {
  const lines = Object.entries(commands).map(
    ([name, { operands = "", meaning }]) => `  ${`${name} ${operands}`.padEnd(33)}${meaning}`,
  );
  return [
    "node src/main.ts [command] [settings]",
    `Commands; without one it serves:\n\n${lines.join("\n")}`,
    `Settings, as flags or as environment variables (--x-y is X_Y):\n\n${settingsHelp}`,
  ].join("\n\n");
}

async function serve(config: Config): Promise<void> {
  const adjustable = await createLogger(config);
  const { logger } = adjustable;
  changeLevelOnSignal(adjustable, config.LOG_LEVEL);
  const startedAt = performance.now();
  const running = await start(config, logger, timedSteps(logger)).catch((error: unknown) => {
    throw isListenError(error) ? new OperatorError(listenReason(error, config)) : error;
  });
  stopOnSignal(running, logger);
  announce(config, running, logger, performance.now() - startedAt);
}

function timedSteps(logger: Logger): Step {
  return async (name, work) => {
    const startedAt = performance.now();
    const result = await work();
    const detail = typeof result === "string" ? `: ${result}` : "";
    logger.info(`${name}${detail} (${Math.round(performance.now() - startedAt)} ms)`);
    return result;
  };
}

function announce(config: Config, running: Running, logger: Logger, ms: number): void {
  for (const [name, url] of running.urls) logger.info({ url }, `${name} listens`);
  logger.info(`ready in ${Math.round(ms)} ms`);
  const gateway = running.urls.get("gateway");
  if (config.production || gateway === undefined) return;
  const reachable = gateway.replace(/\/\/(0\.0\.0\.0|\[::\])/, "//127.0.0.1");
  console.log(`\n  Quartet is at ${reachable}\n${config.SEED ? describeDemoUsers() : ""}`);
}

function describeDemoUsers(): string {
  if (DEMO_USERS.length === 0) return "";
  const lines = DEMO_USERS.map(({ email, password }) => `    ${email.padEnd(22)}${password}\n`);
  return `\n  Demo accounts, unless there were others here before:\n\n${lines.join("")}`;
}

function stopOnSignal(running: Running, logger: Logger): void {
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info(`${signal}: stopping`);
    setTimeout(() => {
      logger.error("the stop took too long and was cut short");
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    await running.stop();
    logger.info("stopped");
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));
  if (process.connected) process.on("disconnect", () => void stop("whoever started this is gone"));
}

function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return `This configuration cannot work:\n${error.message}`;
  if (isRefusal(error)) return error.message;
  if (isProblem(error)) return `${error.title}: ${error.message}`;
  if (error instanceof Error && "syscall" in error) return error.message; // a file that is not as it must be, by name
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isRefusal(error: unknown): error is Error {
  return [StoreRefusal, StartRefusal, OperatorError].some((refusal) => error instanceof refusal);
}

interface ListenError extends NodeJS.ErrnoException {
  readonly address: string;
  readonly port: number;
}

function isListenError(error: unknown): error is ListenError {
  return error instanceof Error && "syscall" in error && error.syscall === "listen" && "port" in error;
}

function listenReason({ code, message, address, port }: ListenError, config: Config): string {
  const place = `${address}:${port}`;
  if (code !== "EADDRINUSE") return `Cannot listen on ${place}: ${message}`;
  const flags = listeningServices(config.SERVE)
    .filter((name) => portOf(config, name) === port)
    .map(portFlag);
  return `${place} is in use by another program; choose another ${flags.join(" or ")}.`;
}
