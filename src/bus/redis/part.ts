import type { Clock } from "../../base/clock.ts";
import type { Outage } from "../../base/outage.ts";

/** What a bus does over and over again, asking Redis. */
export interface Part {
  /** Ends it. What was asked is waited for. */
  end(): Promise<void>;
  /** From now on no answer is waited for. */
  abandon(): void;
}

export interface EndOptions {
  /** Of Redis: while that does not work, no answer is waited for. */
  readonly outage: Outage;
  readonly clock: Clock;
  /** Until then answers are waited for. */
  readonly endMs: number;
}

/** Ends them all. */
export async function endAll(parts: readonly Part[], { outage, clock, endMs }: EndOptions): Promise<void> {
  const ended = Promise.all(parts.map((part) => part.end()));
  const abandon = () => {
    for (const part of parts) part.abandon();
  };
  const cancel = clock.after(outage.reason() === undefined ? Math.max(0, endMs - clock.now()) : 0, abandon);
  await ended;
  cancel();
}
