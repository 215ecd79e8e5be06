import { type Logger, pino } from "pino";
import type { Config } from "./config.ts";

/** What must never stand in a log, wherever it hangs in an object. */
const SECRETS = [
  "password",
  "token",
  "authorization",
  "*.password",
  "*.token",
  "*.authorization",
  "headers.authorization",
];

/**
 * Structured logs on standard output: JSON lines in production, readable ones while trying out.
 * Secrets are redacted.
 */
export async function createLogger(config: Pick<Config, "LOG_LEVEL" | "production">): Promise<Logger> {
  const options = { level: config.LOG_LEVEL, redact: SECRETS, base: null };
  if (config.production) return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime });
  const { default: pretty } = await import("pino-pretty");
  return pino(options, pretty({ translateTime: "HH:MM:ss.l", sync: true }));
}
