/** How far the two clocks may drift apart before the system's is believed. */
const LARGEST_DRIFT_MS = 5;

/** What to add to the monotonic clock. */
let offsetMs = performance.timeOrigin;

/**
 * Milliseconds since 1970, to some microseconds, comparable between processes of one machine. `Date.now()` has whole
 * milliseconds, too few to order the steps of a request; the monotonic clock stands still while a machine sleeps.
 */
export function wallClockMs(): number {
  const monotonicMs = performance.now();
  // Date.now() leaves out what is less than a millisecond, so that this may be too little, and never too much.
  const leastMs = Date.now() - monotonicMs;
  if (leastMs > offsetMs || leastMs < offsetMs - LARGEST_DRIFT_MS) offsetMs = leastMs;
  return offsetMs + monotonicMs;
}
