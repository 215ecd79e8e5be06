import type { Redis } from "ioredis";
import type { Logger } from "pino";

/**
 * Counts requests in fixed windows: the first request of a caller opens one, and all until its end are counted in it.
 * Windows begin and end on whole seconds, so that every number that is told about them is exact as an integer.
 */
export interface RateWindows {
  /** Counts one request of a caller. */
  count(caller: string): Count | Promise<Count>;
}

/** Windows in the memory of this process, which can take over from others. */
export interface MemoryWindows extends RateWindows {
  count(caller: string): Count;
  /** The caller's window as it is now, undefined when none is open. */
  peek(caller: string): Count | undefined;
  /** Goes on from what was counted elsewhere, unless more is known here. */
  learn(caller: string, count: Count): void;
}

/** How many requests a window has seen, the present one included, and the second of the steady clock at which it ends. */
export interface Count {
  readonly requests: number;
  readonly endsAt: number;
}

export interface RateWindowsOptions {
  readonly windowSeconds: number;
  /** Milliseconds since 1970 as they were when this process started, by a clock that nobody sets from then on. */
  readonly steadyNow: () => number;
}

type Window = { requests: number; readonly endsAt: number };

/** Beyond this many open windows the oldest are forgotten, so that a flood of addresses cannot fill the memory. */
const MAX_WINDOWS = 100_000;

/** How long a request waits for Redis unless told otherwise. */
const ANSWER_MS = 50;

/** How often Redis is tried while it does not answer, and how often that is logged at most. */
const RETRY_MS = 500;
const LOG_MS = 60_000;

/**
 * Opens a window unless there is one. Of gateways whose clocks differ the one that is ahead says when it ends; nobody waits longer
 * than a window all the same, since Redis drops it then. The same rule as in `createMemoryWindows`.
 */
const COUNT_REQUEST = `
  local now, seconds, known, known_ends_at = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
  local ends_at = tonumber(redis.call('HGET', KEYS[1], 'ends_at') or 0)
  if ends_at <= now then
    ends_at = known_ends_at > now and known_ends_at or now + seconds
    redis.call('HSET', KEYS[1], 'ends_at', ends_at, 'requests', 0)
    redis.call('EXPIRE', KEYS[1], ends_at - now)
  end
  if known_ends_at > now and known > tonumber(redis.call('HGET', KEYS[1], 'requests')) then
    redis.call('HSET', KEYS[1], 'requests', known)
  end
  return { redis.call('HINCRBY', KEYS[1], 'requests', 1), ends_at }`;

interface CountingRedis {
  countRequest(
    key: string,
    now: number,
    windowSeconds: number,
    known: number,
    knownEndsAt: number,
  ): Promise<[number, number]>;
}

/**
 * Windows in the memory of this process, in two generations: after a window's time, or when the younger one is full,
 * the older is dropped, with nothing to search for what has expired.
 * @param maxWindows how many are kept at most
 */
export function createMemoryWindows(options: RateWindowsOptions, maxWindows = MAX_WINDOWS): MemoryWindows {
  const { windowSeconds, steadyNow } = options;
  let young = new Map<string, Window>();
  let old = young;
  let agesAt = 0;
  const nowSeconds = () => Math.floor(steadyNow() / 1000);

  function find(caller: string): Window | undefined {
    const window = young.get(caller) ?? old.get(caller);
    return window === undefined || window.endsAt <= nowSeconds() ? undefined : window;
  }

  function open(caller: string, endsAt: number): Window {
    if (nowSeconds() >= agesAt || young.size >= maxWindows / 2) {
      old = young;
      young = new Map();
      agesAt = nowSeconds() + windowSeconds;
    }
    const window = { requests: 0, endsAt };
    young.set(caller, window);
    return window;
  }

  return {
    count(caller) {
      const window = find(caller) ?? open(caller, nowSeconds() + windowSeconds);
      window.requests++;
      return { ...window }; // as it is now, whatever is counted before the caller looks
    },
    peek: find,
    learn(caller, { requests, endsAt }) {
      const window = find(caller) ?? open(caller, endsAt);
      window.requests = Math.max(window.requests, requests);
    },
  };
}

/**
 * Windows in Redis, shared by all who use it. While Redis does not answer in time, `standIn` counts, so that no request waits or
 * fails for it. It goes on from what Redis counted last, and Redis from what it counted: an outage gives nobody more requests from
 * this gateway.
 */
export function createRedisWindows(
  redis: Redis,
  standIn: MemoryWindows,
  options: RateWindowsOptions & { readonly answerMs?: number | undefined; readonly logger: Logger },
): RateWindows {
  const { answerMs = ANSWER_MS } = options;
  redis.defineCommand("countRequest", { numberOfKeys: 1, lua: COUNT_REQUEST });
  const counting = redis as unknown as CountingRedis;
  const outage = createOutage(() => answered(redis.ping(), answerMs), options.logger);
  return {
    async count(caller) {
      if (outage.lasts()) return standIn.count(caller);
      try {
        const nowSeconds = Math.floor(options.steadyNow() / 1000);
        const known = standIn.peek(caller) ?? { requests: 0, endsAt: 0 };
        const [requests, endsAt] = await answered(
          counting.countRequest(caller, nowSeconds, options.windowSeconds, known.requests, known.endsAt),
          answerMs,
        );
        standIn.learn(caller, { requests, endsAt });
        return { requests, endsAt };
      } catch (error) {
        outage.begin(error);
        return standIn.count(caller);
      }
    },
  };
}

/** Remembers that Redis does not answer, so that not every request waits for it, and tries it from time to time. */
function createOutage(ping: () => Promise<unknown>, logger: Logger) {
  let lasting = false;
  let triedAt = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  const retry = (): void => {
    triedAt = performance.now();
    ping().then(
      () => {
        lasting = false;
      },
      () => {}, // still down; the next try is due soon
    );
  };
  return {
    lasts(): boolean {
      if (lasting && performance.now() - triedAt >= RETRY_MS) retry();
      return lasting;
    },
    begin(cause: unknown): void {
      if (lasting) return;
      lasting = true;
      triedAt = performance.now();
      if (triedAt - loggedAt < LOG_MS) return;
      loggedAt = triedAt;
      logger.warn({ err: cause }, "Redis does not answer: until it does, requests are counted in this process alone");
    },
  };
}

/**
 * Fails when the answer has not come in time. When the time is up, what has arrived meanwhile is still looked at:
 * it may be this process that was late.
 */
function answered<T>(answer: Promise<T>, withinMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${withinMs} ms`));
    const timer = setTimeout(() => setImmediate(late), withinMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
