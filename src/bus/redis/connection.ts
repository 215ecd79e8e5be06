import { Redis } from "ioredis";
import type { Outage } from "../../base/outage.ts";
import { optionsFor } from "./primary.ts";
import { parseSentinelUrl } from "./sentinels.ts";

/** A command that is not answered by then has failed for its caller; it may still run later. */
const COMMAND_TIMEOUT_MS = 1_000;

/**
 * Silence on a connection that waits for an answer: longer than any blocking read, one included that waits for a connection. Of
 * a client that is disconnected between two attempts to connect nobody else ends it.
 */
const SILENCE_TIMEOUT_MS = 3_000;

/** What a Redis answers that was the primary when the connection was made, or that is cut off from its replicas and so may not be one any more. */
const DEMOTED = /READONLY|UNBLOCKED|MASTERDOWN|NOREPLICAS/;

const CONNECT_TIMEOUT_MS = 2_000;
const LONGEST_RECONNECT_DELAY_MS = 1_000;

export interface ConnectionOptions {
  /** Told how the connection fares. */
  readonly outage: Outage;
  /**
   * Told when the Redis at the other end has become somebody's replica; this connection is made anew then, to the primary that the
   * sentinels name, or in the hope that the address leads to it.
   */
  readonly onDemoted?: () => void;
  /** Set before all keys that are named on this connection. */
  readonly keyPrefix?: string;
}

/**
 * A connection that connects by itself when Redis is back. What is asked while it connects waits for that one attempt,
 * then fails; nothing is sent twice: every caller has its own way to try again.
 *
 * @param url of a Redis, or of sentinels, which are asked for the primary at each attempt
 * @param purpose blocking reads need a connection of their own, whose answers take as long as they block
 */
export function connectRedis(url: string, purpose: "commands" | "blocking", options: ConnectionOptions): Redis {
  const { outage, onDemoted, keyPrefix = "" } = options;
  const own = {
    keyPrefix,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    commandTimeout: purpose === "commands" ? COMMAND_TIMEOUT_MS : SILENCE_TIMEOUT_MS,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    reconnectOnError(error: Error) {
      const isDemoted = DEMOTED.test(error.message);
      if (isDemoted) onDemoted?.();
      return isDemoted;
    },
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), LONGEST_RECONNECT_DELAY_MS),
  };
  const sentinels = parseSentinelUrl(url);
  const redis = sentinels === undefined ? new Redis(url, own) : new Redis({ ...own, ...optionsFor(sentinels) });
  redis.on("error", outage.failed);
  redis.on("ready", outage.worked);
  return redis;
}
