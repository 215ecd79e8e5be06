import { Problem } from "../base/problem.ts";
import { type CallContext, remainingMs } from "./context.ts";
import type { Outcome } from "./progress.ts";

/** The last check before something is changed for a caller: called first in the unit of work. Throws when it is too late. */
export type Begin = () => void;

/**
 * To be called right before a unit of work is queued that changes something for a caller. Whoever asked is told at his deadline
 * that there is no answer; what has not begun by then must not happen any more, as it would come as a surprise.
 * @returns the check, to be called first in the unit of work: from then on it may happen, and whoever tells of it says so. It throws
 *   Problem upstream-timeout when it is too late, and nothing has happened
 */
export function beginning(ctx: CallContext): Begin {
  const { progress } = ctx;
  progress?.announce?.();
  return () => {
    requireTime(ctx);
    if (progress !== undefined) progress.begun = true;
  };
}

/** @throws Problem upstream-timeout when the caller has gone, or waits no longer */
export function requireTime(ctx: CallContext): void {
  if (remainingMs(ctx) === 0 || ctx.progress?.isGone?.() === true) throw tooLate("not-begun");
}

const DETAILS: Readonly<Record<Outcome, string>> = {
  unknown:
    "The answer did not come in time, and this may have been done or not. Send the same request again, with the same Idempotency-Key if it had one.",
  "not-begun": "The answer did not come in time. Nothing was begun, and nothing will be: send it again when you like.",
};

/** The answer to a call that took too long. */
export function tooLate(outcome: Outcome): Problem {
  return new Problem("upstream-timeout", DETAILS[outcome], { extensions: { outcome } });
}
