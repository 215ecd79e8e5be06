import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";

/** Failures in a row after which a neighbour is left alone, and for how long. */
const FAILURES = 5;
const OPEN_MS = 1_000;

export type BreakerState = "closed" | "open" | "half-open";

/** Leaves a neighbour alone for a while after failures, then lets one call try. */
export interface Breaker {
  /** @throws BrokenCircuitError while it is open; whatever the work rejects with */
  execute<T>(work: () => Promise<T>): Promise<T>;
  state(): BreakerState;
}

/**
 * cockatiel's breaker, but that the time for which it is open is measured by a clock that nobody sets: its own, set back by a day,
 * would leave the neighbour alone for a day.
 * @param monotonicMs milliseconds since some moment
 */
export function createBreaker(monotonicMs: () => number = () => performance.now()): Breaker {
  const policy = circuitBreaker(handleAll, {
    halfOpenAfter: Number.NEGATIVE_INFINITY, // whatever its clock says
    breaker: new ConsecutiveBreaker(FAILURES),
  });
  let openUntilMs = 0;
  policy.onBreak(() => {
    openUntilMs = monotonicMs() + OPEN_MS;
  });
  return {
    async execute(work) {
      if (policy.state === CircuitState.Open && monotonicMs() < openUntilMs) throw new BrokenCircuitError();
      return policy.execute(work);
    },
    state: () => STATES[policy.state],
  };
}

/** Nobody isolates a breaker by hand here; it would let nothing through. */
const STATES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: "closed",
  [CircuitState.Open]: "open",
  [CircuitState.HalfOpen]: "half-open",
  [CircuitState.Isolated]: "open",
};
