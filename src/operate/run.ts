import type { Logger } from "pino";
import { isProblem } from "../base/problem.ts";
import { Refusal } from "../base/refusal.ts";
import { type Config, ConfigError, readConfig, settingsHelp } from "../runtime/config.ts";
import { changeLevelOnSignal } from "../runtime/log-level.ts";
import { createLogger } from "../runtime/logger.ts";
import { type Running, type Step, start } from "../runtime/start.ts";
import { type StopRequest, stopRequest } from "../runtime/stop-request.ts";
import { commands } from "./commands/index.ts";
import { collectAfterStart } from "./garbage.ts";
import { greetingOf, type ReadyMessage } from "./greeting.ts";
import { isListenFault, listenReason } from "./listen-fault.ts";

/** A stop that takes longer is cut short. */
const STOP_TIMEOUT_MS = 9_500;

/**
 * The program: reads the configuration and serves, until it is asked to stop, which it does with status 0, or cannot
 * go on, with status 1; or does what a command says. What keeps it from starting is told in clear lines, and the process ends with status 1.
 * @param args the command line's arguments: perhaps a command, then flags
 */
export async function run(args: readonly string[]): Promise<void> {
  process.umask(0o077); // whatever is written here holds what is somebody's own: databases, backups, locks
  const [first = ""] = args;
  const command = commands[first];
  try {
    if (args.includes("--help")) console.log(help());
    else if (command?.stopsItself === true) await command.run(args.slice(1));
    else if (command !== undefined) await Promise.race([command.run(args.slice(1)), leaveUndone()]);
    else if (/^[a-z]/.test(first)) throw new Refusal(`${first}: there is no such command; --help lists them`);
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
    "node bin/main.js [command] [settings]",
    `Commands; without one it serves:\n\n${lines.join("\n")}`,
    `Settings, as flags or as environment variables (--x-y is X_Y):\n\n${settingsHelp}`,
  ].join("\n\n");
}

/** A command that is asked to stop is not done, and says so by its status. */
async function leaveUndone(): Promise<never> {
  const { status } = await stopRequest;
  process.exit(status);
}

async function serve(config: Config): Promise<void> {
  const adjustable = await createLogger(config);
  const { logger } = adjustable;
  changeLevelOnSignal(adjustable, config.LOG_LEVEL);
  for (const line of config.passedOver.values()) logger.warn(line);
  let running: Running | undefined;
  void stopRequest.then((request) => stop(request, running, logger));
  const startedAt = performance.now();
  running = await start(config, logger, timedSteps(logger)).catch((error: unknown) => {
    throw isListenFault(error) ? new Refusal(listenReason(error, config)) : error;
  });
  announce(config, running, logger, performance.now() - startedAt);
  collectAfterStart();
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
  for (const [name, url] of running.urls) logger.info(`${name} listens at ${url}`);
  logger.info(`ready in ${Math.round(ms)} ms`);
  const gateway = running.urls.get("gateway");
  const greeting = config.production || gateway === undefined ? undefined : greetingOf(config, gateway);
  if (process.connected) process.send?.({ ready: true, greeting } satisfies ReadyMessage);
  else if (greeting !== undefined) console.log(greeting);
}

/** While it starts there is nothing to finish: whatever a start does can be broken off at any moment. */
async function stop({ reason, isFault }: StopRequest, running: Running | undefined, logger: Logger): Promise<void> {
  logger[isFault ? "error" : "info"](
    running === undefined ? `${reason}: stopped before it was ready` : `${reason}: stopping`,
  );
  setTimeout(() => {
    logger.error("the stop took too long and was cut short");
    process.exit(1);
  }, STOP_TIMEOUT_MS).unref();
  await running?.stop();
  if (running !== undefined) logger.info("stopped");
  process.exit(isFault ? 1 : 0);
}

function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return `This configuration cannot work:\n${error.message}`;
  if (error instanceof Refusal) return error.message;
  if (isProblem(error)) return `${error.title}: ${error.message}`;
  if (error instanceof Error && "syscall" in error) return error.message; // a file that is not as it must be, by name
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
