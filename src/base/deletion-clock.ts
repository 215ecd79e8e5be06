import { SETTLED_AFTER_MS } from "./settled-clock.ts";

/**
 * A clock by which what is old is deleted, or counts as gone: a settled one, which a process that has just started does not believe
 * further than is known without it, since its machine's clock may be ahead for a moment right then.
 * @param settledNow see `createSettledClock`
 * @param monotonicMs milliseconds since some moment, by a clock that nobody sets
 * @param knownMs a time that has come for certain, as milliseconds since 1970, such as that of the newest row
 */
export function createDeletionClock(
  settledNow: () => number,
  monotonicMs: () => number,
  knownMs: number,
): () => number {
  const startedMs = monotonicMs();
  return () => {
    const hasSettled = monotonicMs() - startedMs >= SETTLED_AFTER_MS;
    return hasSettled ? settledNow() : Math.min(settledNow(), knownMs);
  };
}
