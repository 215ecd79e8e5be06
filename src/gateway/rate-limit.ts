import type { Redis } from "ioredis";
import type { Context } from "koa";
import ratelimit from "koa-ratelimit";
import type { Logger } from "pino";
import { Problem } from "../base/problem.ts";
import { processTimeMs } from "../call/peer-clock.ts";
import type { RateLimitWindow } from "./rate-limit-setting.ts";
import { createMemoryWindows, createRedisWindows, type RateWindows } from "./rate-windows.ts";

export interface RateLimitOptions {
  readonly limit: RateLimitWindow;
  /** Names the policy to clients, such as `default`; limits of different names count apart. */
  readonly name: string;
  /** Where to count; in the memory of this process if left out. */
  readonly redis?: Redis | undefined;
  /** The time in milliseconds since 1970, as clients are told it. */
  readonly now?: () => number;
  /** The same by a clock that nobody sets, which windows are measured by: a step of the other neither opens one nor prolongs it. */
  readonly steadyNow?: () => number;
  /** How many milliseconds a request waits for Redis before this process counts it alone. */
  readonly answerMs?: number;
  readonly logger: Logger;
}

export interface RateLimit {
  /**
   * Counts one request. Never fails, and never waits long: without Redis this process counts alone.
   * @param id whom to count: a user's id or a client's address
   */
  count(id: string): Promise<RateState>;
}

/** Where a caller stands after a request. */
export interface RateState {
  readonly allowed: boolean;
  readonly name: string;
  /** Requests in a window. */
  readonly limit: number;
  readonly windowSeconds: number;
  /** Requests left in this window. */
  readonly remaining: number;
  /** When the window ends, in seconds since 1970. */
  readonly resetAtSeconds: number;
  /** Seconds until then, at least 1. */
  readonly resetInSeconds: number;
}

/** A rate limit that answers the same numbers whether Redis or this process counts. */
export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { limit, name, redis, answerMs, logger, now = Date.now, steadyNow = processTimeMs } = options;
  const windowSeconds = limit.windowMs / 1000;
  const memory = createMemoryWindows({ windowSeconds, steadyNow });
  const windows =
    redis === undefined ? memory : createRedisWindows(redis, memory, { windowSeconds, steadyNow, answerMs, logger });
  const middleware = ratelimit<CountedRequest>({
    driver: "redis",
    db: { ratelimiter: (key, _clockMs, _durationMs, max) => left(windows, key, max) },
    namespace: `rate:${name}`,
    max: limit.max,
    duration: limit.windowMs,
    headers: { total: "limit", remaining: "remaining", reset: "reset" },
    errorMessage: "refused",
    id: (request) => request.id,
  });
  return {
    async count(id) {
      const request = new CountedRequest(id);
      await middleware(request, request.admit);
      return {
        allowed: request.admitted,
        name,
        limit: limit.max,
        windowSeconds,
        remaining: request.remaining,
        resetAtSeconds: request.reset + Math.round((now() - steadyNow()) / 1000),
        // Another gateway that counts in the same Redis may have opened the window by a clock that is ahead of ours.
        resetInSeconds: Math.min(windowSeconds, Math.max(1, Math.ceil(request.reset - steadyNow() / 1000))),
      };
    },
  };
}

/** Tells a client where it stands: the usual headers, and those of draft-ietf-httpapi-ratelimit-headers. */
export function writeRateHeaders(koa: Context, state: RateState): void {
  koa.set("X-RateLimit-Limit", String(state.limit));
  koa.set("X-RateLimit-Remaining", String(state.remaining));
  koa.set("X-RateLimit-Reset", String(state.resetAtSeconds));
  koa.set("RateLimit-Policy", `"${state.name}";q=${state.limit};w=${state.windowSeconds}`);
  koa.set("RateLimit", `"${state.name}";r=${state.remaining};t=${state.resetInSeconds}`);
}

/** The answer to a request that was not allowed. */
export function rateLimited(state: RateState): Problem {
  const seconds = `${state.resetInSeconds} second${state.resetInSeconds === 1 ? "" : "s"}`;
  return new Problem(
    "rate-limited",
    `No more than ${state.limit} requests are taken in ${state.windowSeconds} seconds. Try again in ${seconds}.`,
    { retryAfterSeconds: state.resetInSeconds },
  );
}

/** Stands in for the Koa context, so that what koa-ratelimit decides can be known before anything is answered. */
class CountedRequest {
  readonly state = {};
  readonly id: string;
  admitted = false;
  remaining = 0;
  reset = 0;

  constructor(id: string) {
    this.id = id;
  }

  /** Takes the headers as numbers; its `Retry-After` is ours to compute, since koa-ratelimit's may be 0. */
  set(headers: Readonly<Record<string, number>> | string): void {
    if (typeof headers === "string") return;
    this.remaining = headers.remaining ?? 0;
    this.reset = headers.reset ?? 0;
  }

  readonly admit = async (): Promise<void> => {
    this.admitted = true;
  };
}

/** Answers koa-ratelimit's question in its own terms: 0 left refuses the request. */
async function left(windows: RateWindows, key: string, max: number) {
  const { requests, endsAt } = await windows.count(key);
  return [Math.max(0, max + 1 - requests), endsAt, max] as const;
}
