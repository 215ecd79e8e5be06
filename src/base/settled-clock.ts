/** How long a clock must have told another time before it is believed. */
export const SETTLED_AFTER_MS = 60 * 60_000;

/** Beyond this it has been set, and does not just run a little faster or slower. */
const LARGEST_DRIFT_MS = 1_000;

/**
 * A clock for what is deleted once it is old: milliseconds since 1970, in which a machine's clock that jumps counts only after it has
 * stayed so for an hour. Until then time goes on by the monotonic clock, so that one second in which it is a year ahead ends nothing.
 * What it tells is whole, as those want it who keep it.
 * @param now milliseconds since 1970, by a clock that can be set
 * @param monotonicMs milliseconds since some moment, by one that nobody sets
 */
export function createSettledClock(now: () => number, monotonicMs: () => number): () => number {
  let aheadMs = now() - monotonicMs();
  let jump: { readonly aheadMs: number; readonly atMs: number } | undefined;
  return () => {
    const atMs = monotonicMs();
    const seenMs = now() - atMs;
    if (Math.abs(seenMs - aheadMs) <= LARGEST_DRIFT_MS) jump = undefined;
    else if (jump === undefined || Math.abs(seenMs - jump.aheadMs) > LARGEST_DRIFT_MS) jump = { aheadMs: seenMs, atMs };
    if (jump === undefined || atMs - jump.atMs >= SETTLED_AFTER_MS) {
      aheadMs = seenMs;
      jump = undefined;
    }
    return Math.round(atMs + aheadMs);
  };
}
