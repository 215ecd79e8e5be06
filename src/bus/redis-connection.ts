import { Redis } from "ioredis";
import type { Outage } from "./outage.ts";

/** A command that is not answered by then has failed for its caller; it may still run later. */
const COMMAND_TIMEOUT_MS = 1_000;

/** Silence on a connection that waits for an answer: longer than any blocking read. */
const SILENCE_TIMEOUT_MS = 3_000;

const CONNECT_TIMEOUT_MS = 2_000;
const LONGEST_RECONNECT_DELAY_MS = 1_000;

/**
 * A connection that connects by itself when Redis is back. What is asked while it connects waits for that one attempt,
 * then fails; nothing is sent twice: every caller has its own way to try again.
 *
 * @param purpose blocking reads need a connection of their own, whose answers take as long as they block
 */
export function connectRedis(url: string, purpose: "commands" | "blocking", outage: Outage): Redis {
  const redis = new Redis(url, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    ...(purpose === "commands" ? { commandTimeout: COMMAND_TIMEOUT_MS } : undefined),
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), LONGEST_RECONNECT_DELAY_MS),
  });
  redis.on("error", outage.failed);
  return redis;
}
