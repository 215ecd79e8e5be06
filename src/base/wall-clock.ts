/** What to add to the monotonic clock. */
let offsetMs = performance.timeOrigin;

/**
 * Milliseconds since 1970, to some microseconds, comparable between processes of one machine. `Date.now()` has whole
 * milliseconds, too few to order the steps of a request; the monotonic clock stands still while a machine sleeps.
 */
export function wallClockMs(): number {
  const beforeMs = performance.now();
  const systemMs = Date.now();
  const monotonicMs = performance.now();
  // The offset lies between these: Date.now() leaves out what is less than a millisecond, and between two looks a process may be held up.
  offsetMs = Math.min(Math.max(offsetMs, systemMs - monotonicMs), systemMs + 1 - beforeMs);
  return offsetMs + monotonicMs;
}
