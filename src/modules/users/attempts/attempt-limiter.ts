import type { Problem } from "../../../base/problem.ts";
import { createTurns } from "../../../base/turns.ts";
import { users } from "../contract.ts";
import type { FailureRows, Failures } from "./failure-rows.ts";

export interface AttemptLimiterOptions {
  readonly rows: FailureRows;
  /** Failures in a row that cost nothing. */
  readonly freeFailures: number;
  /** Milliseconds since 1970, see `createSettledClock`. */
  readonly now: () => number;
}

/** Slows down those who guess: after some failures in a row the next attempt has to wait, longer each time. */
export interface AttemptLimiter {
  /**
   * Makes one attempt.
   * @param lane what the failures count against, such as an account
   * @param check resolves undefined when the attempt fails; what it throws is neither success nor failure
   * @throws Problem too-many-attempts, before anything is checked, while the lane has to wait; of the store, when a failure cannot be
   *   counted
   */
  attempt<T>(lane: string, check: () => Promise<T | undefined>): Promise<T | undefined>;
}

/** An attempt that is being checked. */
interface Entered {
  /** Resolves when it has an outcome. */
  readonly settled: Promise<void>;
  readonly settle: () => void;
  /** Lets in another in its place, since it was none. */
  readonly giveBack: () => Promise<unknown>;
}

/** The wait doubles from a second up to this, and never ends in a lock. */
const LONGEST_WAIT_MS = 60_000;

/** Failures are counted in the database; how many are checked at once is known in each process. */
export function createAttemptLimiter({ rows, freeFailures, now }: AttemptLimiterOptions): AttemptLimiter {
  /** The attempts of each lane that are being checked here. */
  const running = new Map<string, Set<Entered>>();
  /** What is read of a lane still holds when it is acted on. */
  const inTurn = createTurns();

  /**
   * The attempts whose outcome the next one has to wait for: those that could use up what is left of the failures that cost
   * nothing. So of many at once no more are checked than of as many one after the other, and who is right among them is let in.
   */
  function inTheWay(lane: string, count: number): Promise<void>[] {
    const checking = [...(running.get(lane) ?? [])];
    const isFree = checking.length === 0 || count >= freeFailures || count + checking.length < freeFailures;
    return isFree ? [] : checking.map(({ settled }) => settled);
  }

  /** Lets one attempt in, and with a wait no other beside it, in whatever process. @returns how to let in another */
  async function admit(lane: string, failures: Failures | undefined): Promise<Entered["giveBack"]> {
    if (failures === undefined || failures.count < freeFailures) return async () => {};
    const { waitUntilMs: sinceMs, count } = failures;
    const leftMs = Math.min(sinceMs - now(), LONGEST_WAIT_MS);
    if (leftMs > 0) throw tooManyAttempts(leftMs);
    const untilMs = now() + waitMs(count - freeFailures);
    if (!(await rows.moveWait(lane, sinceMs, untilMs))) throw tooManyAttempts(untilMs - now());
    return () => rows.moveWait(lane, untilMs, sinceMs);
  }

  /** @returns the attempt, now being checked, or the outcomes that it has to wait for */
  async function enter(lane: string): Promise<Entered | Promise<void>[]> {
    const failures = await rows.find(lane, now());
    const others = inTheWay(lane, failures?.count ?? 0);
    if (others.length > 0) return others;
    const giveBack = await admit(lane, failures);
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
    const entered = { settled, settle, giveBack };
    running.set(lane, (running.get(lane) ?? new Set()).add(entered));
    return entered;
  }

  /** Ends an attempt with its outcome. What waits for it reads what it has come to. */
  function leave(lane: string, entered: Entered, record: () => Promise<unknown>): Promise<void> {
    return inTurn(lane, async () => {
      try {
        await record();
      } finally {
        const checking = running.get(lane);
        checking?.delete(entered);
        if (checking?.size === 0) running.delete(lane);
        entered.settle();
      }
    });
  }

  const addFailure = (lane: string) =>
    rows.add(lane, now(), (count) => (count < freeFailures ? 0 : waitMs(count - freeFailures)));

  return {
    async attempt(lane, check) {
      let entered = await inTurn(lane, () => enter(lane));
      while (Array.isArray(entered)) {
        await Promise.race(entered);
        entered = await inTurn(lane, () => enter(lane));
      }
      const own = entered;
      const result = await check().catch(async (error: unknown) => {
        await leave(lane, own, own.giveBack).catch(() => undefined); // then the next one has to wait
        throw error;
      });
      if (result === undefined) await leave(lane, own, () => addFailure(lane));
      else await leave(lane, own, () => rows.forget(lane, now())).catch(() => undefined); // they are forgotten in time
      return result;
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
