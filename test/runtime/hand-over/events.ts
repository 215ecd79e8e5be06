/** Simulated time, all of it at once: no promise is waited for, since a hand-over has none. */
export interface Events {
  now(): number;
  after(delayMs: number, run: () => void): void;
  runUntil(endMs: number): void;
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** So much never happens unless something runs in circles. */
const MAX_EVENTS = 400_000;

export function createEvents(): Events {
  /** The next is the last. */
  const due: Due[] = [];
  let nowMs = 0;
  let order = 0;

  return {
    now: () => nowMs,
    after(delayMs, run) {
      const next = { atMs: nowMs + delayMs, order: order++, run };
      if (order > MAX_EVENTS) throw new Error(`more than ${MAX_EVENTS} things happened by ${nowMs} ms`);
      let low = 0;
      let high = due.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((due[middle] as Due).atMs > next.atMs) low = middle + 1;
        else high = middle;
      }
      due.splice(low, 0, next); // before those of the same moment, which came earlier
    },
    runUntil(endMs) {
      for (let next = due.at(-1); next !== undefined && next.atMs <= endMs; next = due.at(-1)) {
        due.pop();
        nowMs = next.atMs;
        next.run();
      }
      nowMs = endMs;
    },
  };
}
