import type { Problem } from "../../base/problem.ts";
import { users } from "./contract.ts";
import { sha256 } from "./sessions/refresh-token.ts";

export interface AttemptLimiterOptions {
  /** Failures in a row that cost nothing. */
  readonly freeFailures: number;
  /** Milliseconds since some moment, by a clock that nobody sets. */
  readonly monotonicMs?: () => number;
}

/** Slows down those who guess: after some failures in a row the next attempt has to wait, longer each time. */
export interface AttemptLimiter {
  /**
   * Makes one attempt.
   * @param lane what the failures count against, such as an account
   * @param check resolves undefined when the attempt fails; what it throws is neither success nor failure
   * @throws Problem too-many-attempts, before anything is checked, while the lane has to wait
   */
  attempt<T>(lane: string, check: () => Promise<T | undefined>): Promise<T | undefined>;
}

interface Failures {
  readonly count: number;
  /** When the next attempt is let in, and when all this is forgotten. */
  readonly waitUntilMs: number;
  readonly forgetAtMs: number;
}

/** The wait doubles from a second up to this, and never ends in a lock. */
const LONGEST_WAIT_MS = 60_000;

/** Failures are forgotten when none has followed for this long. */
const FORGET_AFTER_MS = 15 * 60_000;

/** Lanes remembered at most, about 10 MB; more than the password hasher can make fail before they are forgotten. */
const MAX_LANES = 50_000;

/** Counts in memory: users is one process, and a restart forgives. */
export function createAttemptLimiter(options: AttemptLimiterOptions): AttemptLimiter {
  const { freeFailures, monotonicMs = () => performance.now() } = options;
  /** By the lane's hash, so that each takes the same room; the one that failed last comes last. */
  const lanes = new Map<string, Failures>();
  /** The attempts of each lane that are being checked. */
  const running = new Map<string, Set<Promise<void>>>();

  function failuresOf(lane: string): Failures | undefined {
    const failures = lanes.get(lane);
    return failures === undefined || failures.forgetAtMs <= monotonicMs() ? undefined : failures;
  }

  /**
   * The attempts whose outcome the next one has to wait for: those that could use up what is left of the failures that cost
   * nothing. So of many at once no more are checked than of as many one after the other, and who is right among them is let in.
   */
  function inTheWay(lane: string): ReadonlySet<Promise<void>> | undefined {
    const count = failuresOf(lane)?.count ?? 0;
    const checking = running.get(lane);
    const isFree = checking === undefined || count >= freeFailures || count + checking.size < freeFailures;
    return isFree ? undefined : checking;
  }

  /** Remembers that an attempt is being checked, until it has an outcome. */
  async function whileChecking<T>(lane: string, check: () => Promise<T>): Promise<T> {
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
    const checking = running.get(lane) ?? new Set();
    running.set(lane, checking.add(settled));
    try {
      return await check();
    } finally {
      checking.delete(settled);
      if (checking.size === 0) running.delete(lane);
      settle();
    }
  }

  /** Lets one attempt in, and with a wait no other beside it. @returns how to let in another when it was none */
  function admit(lane: string): () => void {
    const failures = failuresOf(lane);
    if (failures === undefined || failures.count < freeFailures) return () => {};
    const leftMs = failures.waitUntilMs - monotonicMs();
    if (leftMs > 0) throw tooManyAttempts(leftMs);
    const claimed = { ...failures, waitUntilMs: monotonicMs() + waitMs(failures.count - freeFailures) };
    lanes.set(lane, claimed);
    return () => {
      if (lanes.get(lane) === claimed) lanes.set(lane, failures);
    };
  }

  function recordFailure(lane: string): void {
    const count = (failuresOf(lane)?.count ?? 0) + 1;
    const waitUntilMs = count < freeFailures ? 0 : monotonicMs() + waitMs(count - freeFailures);
    lanes.delete(lane);
    lanes.set(lane, { count, waitUntilMs, forgetAtMs: monotonicMs() + FORGET_AFTER_MS });
    for (const oldest of lanes.keys()) {
      if (lanes.size <= MAX_LANES) break;
      lanes.delete(oldest);
    }
  }

  return {
    async attempt(name, check) {
      const lane = sha256(name);
      for (let others = inTheWay(lane); others !== undefined; others = inTheWay(lane)) await Promise.race(others);
      const giveBack = admit(lane);
      return whileChecking(lane, async () => {
        try {
          const result = await check();
          if (result === undefined) recordFailure(lane);
          else lanes.delete(lane);
          return result;
        } catch (error) {
          giveBack();
          throw error;
        }
      });
    },
  };
}

function waitMs(failuresBeyond: number): number {
  return Math.min(1_000 * 2 ** failuresBeyond, LONGEST_WAIT_MS);
}

function tooManyAttempts(leftMs: number): Problem {
  return users.problem("too-many-attempts", "Too many attempts have failed; the next one has to wait.", {
    retryAfterSeconds: Math.ceil(leftMs / 1_000),
  });
}
