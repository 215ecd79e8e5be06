import { type Logger, type LoggerOptions, pino } from "pino";
import type { Config } from "./config.ts";

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
 * Secrets are redacted.
 */
export async function createLogger(config: Pick<Config, "LOG_LEVEL" | "production">): Promise<AdjustableLogger> {
  const family: Logger[] = [];
  const onChild: LoggerOptions["onChild"] = (child) => family.push(child);
  const options: LoggerOptions = { level: config.LOG_LEVEL, redact: SECRETS, base: null, onChild };
  const logger = config.production
    ? pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime })
    : pino(options, await prettyStream());
  family.push(logger);
  return {
    logger,
    setLevel(level) {
      for (const member of family) member.level = level;
    },
  };
}

async function prettyStream() {
  const { default: pretty } = await import("pino-pretty");
  return pretty({ translateTime: "HH:MM:ss.l", sync: true, singleLine: true });
}
