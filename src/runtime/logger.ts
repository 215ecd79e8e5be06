import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";
import type { Config } from "./config.ts";
import { createOutput } from "./output.ts";

/** What must never stand in a log, up to three levels deep in an object. */
const SECRETS = [
  "password",
  "current_password",
  "new_password",
  "token",
  "refresh_token",
  "authorization",
  "cookie",
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

type Level = Config["LOG_LEVEL"];

/** A log whose level can be changed while it is in use. */
export interface AdjustableLogger {
  readonly logger: Logger;
  /** Changes the level of the logger and of all that were made from it. */
  setLevel(level: Level): void;
}

/**
 * Structured logs on standard output: JSON lines in production, readable ones while trying out.
 * Secrets are redacted. Nobody ever waits for a reader of them; lines that were not read are dropped, and counted.
 */
export async function createLogger(config: Pick<Config, "LOG_LEVEL" | "production">): Promise<AdjustableLogger> {
  const family: Logger[] = [];
  const onChild: LoggerOptions["onChild"] = (child) => family.push(child);
  const options: LoggerOptions = { level: config.LOG_LEVEL, redact: SECRETS, base: null, onChild };
  const output = createOutput(process.stdout, (count) => logger.warn(`${count} lines before this one were not read`));
  const logger: Logger = config.production
    ? pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, output)
    : pino(options, await readable(output));
  family.push(logger);
  return {
    logger,
    setLevel(level) {
      for (const member of family) member.level = level;
    },
  };
}

type LineOfLog = Readonly<Record<string, unknown>>;

/** One line of the answer to a request, for a person: what was asked, what came of it, and how to find more. */
function describeAnswer({ method, path, status, problem, duration_ms, request_id, trace_id }: LineOfLog): string {
  const outcome = problem === undefined ? `${status}` : `${status} ${problem}`;
  return `${method} ${path} → ${outcome} (${duration_ms} ms) request ${request_id} trace ${trace_id}`;
}

/** The members that `describeAnswer` shows. */
const OF_ANSWERS = ["method", "path", "status", "problem", "duration_ms", "request_id", "trace_id", "service"];

async function readable(output: DestinationStream): Promise<DestinationStream> {
  const { prettyFactory } = await import("pino-pretty");
  const prettify = prettyFactory({
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
    ignore: OF_ANSWERS.join(","),
    messageFormat: (line, key) => (typeof line.status === "number" ? describeAnswer(line) : String(line[key] ?? "")),
  });
  return { write: (line) => output.write(prettify(line)) };
}
