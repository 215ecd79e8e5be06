/** How far the two clocks may drift apart before the system's is believed. */
const LARGEST_DRIFT_MS = 5;

/** Ticks that are looked at: being interrupted at one of them does no harm. */
const TICKS = 3;

let offsetMs: number | undefined;

/**
 * Milliseconds since 1970, to some microseconds, comparable between processes of one machine. `Date.now()` has whole
 * milliseconds, too few to order the steps of a request; the monotonic clock stands still while a machine sleeps.
 */
export function wallClockMs(): number {
  offsetMs ??= readOffset();
  const precise = offsetMs + performance.now();
  if (Math.abs(precise - Date.now()) > LARGEST_DRIFT_MS) offsetMs = undefined;
  return precise;
}

/**
 * What to add to the monotonic clock: seen when the system's clock moves to its next millisecond, since
 * `performance.timeOrigin` may be wrong by half a millisecond. Keeps the thread for three milliseconds.
 */
function readOffset(): number {
  let largestMs = Number.NEGATIVE_INFINITY;
  for (let tick = 0; tick < TICKS; tick++) {
    const before = Date.now();
    while (Date.now() === before);
    // Whatever came between the tick and this look makes the difference smaller.
    largestMs = Math.max(largestMs, before + 1 - performance.now());
  }
  return largestMs;
}
