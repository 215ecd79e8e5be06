/** How far the two clocks may drift apart before the system's is believed. */
const LARGEST_DRIFT_MS = 5;

let offsetMs = performance.timeOrigin;

/**
 * Milliseconds since 1970, to the microsecond, comparable between processes of one machine. `Date.now()` has whole
 * milliseconds, too few to order the steps of a request; the monotonic clock stands still while a machine sleeps.
 */
export function wallClockMs(): number {
  const system = Date.now();
  const precise = offsetMs + performance.now();
  if (Math.abs(precise - system) <= LARGEST_DRIFT_MS) return precise;
  offsetMs = system - performance.now();
  return system;
}
