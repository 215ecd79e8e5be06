import type { Clock } from "./clock.ts";

/** Delay after the first failure of a loop; it doubles up to the longest. */
const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 1_000;

/** Thrown to a loop that pauses when it is stopped, so that it ends wherever it stands. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

/** Thrown by a step that waits for something to come, which is no failure of what it works with: the pause does not grow. */
export class NotYet extends Error {
  override readonly name: string = "NotYet";
}

/** The pauses of one loop, which has one at a time. */
export interface Pace {
  /** Until woken, or so many milliseconds have passed. A wake that came before counts. @throws Stopped */
  wait(timeoutMs: number): Promise<void>;
  /** So many milliseconds, whoever wakes. @throws Stopped */
  sleep(delayMs: number): Promise<void>;
  wake(): void;
  readonly stopped: boolean;
  /** Ends the pause that lasts, and every later one. */
  stop(): void;
}

export function createPace(clock: Clock): Pace {
  let stopped = false;
  let woken = false;
  let end: (() => void) | undefined;
  let endWait: (() => void) | undefined;

  const pause = (delayMs: number, wakes: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      if (stopped) {
        reject(new Stopped());
        return;
      }
      const cancel = clock.after(delayMs, () => end?.());
      end = () => {
        cancel();
        end = endWait = undefined;
        if (stopped) reject(new Stopped());
        else resolve();
      };
      if (wakes) endWait = end;
    });

  return {
    get stopped() {
      return stopped;
    },
    async wait(timeoutMs) {
      if (!woken) await pause(timeoutMs, true);
      woken = false;
      if (stopped) throw new Stopped();
    },
    sleep: (delayMs) => pause(delayMs, false),
    wake() {
      woken = true;
      endWait?.();
    },
    stop() {
      stopped = true;
      end?.();
    },
  };
}

/** How long to pause after so many failures in a row, in milliseconds. */
export function backoffMs(failures: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
}

/**
 * Takes step after step until stopped, which is no failure. A step that fails is taken again after a pause that grows, unless it
 * says that it is not time yet.
 * @param onFailure told of each failure; @param onSuccess of each step that ended well
 */
export async function repeat(
  step: () => Promise<void>,
  { pace, onFailure, onSuccess }: { pace: Pace; onFailure: (error: unknown) => void; onSuccess?: () => void },
): Promise<void> {
  for (let failures = 0; !pace.stopped; ) {
    try {
      await step();
      failures = 0;
      onSuccess?.();
    } catch (error) {
      if (pace.stopped) return;
      failures = error instanceof NotYet ? 1 : failures + 1;
      onFailure(error);
      await pace.sleep(backoffMs(failures)).catch(() => undefined);
    }
  }
}
