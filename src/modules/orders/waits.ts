/** Callers that wait for something to change, each for its own time. */
export interface Waits {
  /**
   * Looks, and looks again after each `wake` of the key, until what it sees is done, the time is over, or all
   * waits are drained. Answers what it saw last; beyond the bound, and once drained, it looks just once.
   * @throws whatever `look` throws
   */
  until<T>(key: string, timeoutMs: number, look: () => Promise<T>, isDone: (seen: T) => boolean): Promise<T>;
  /** Lets those that wait for this key look again, once the synchronous work that is running now has ended. */
  wake(key: string): void;
  /** Ends all waits at once, for good. */
  drain(): void;
}

interface Wait {
  isOver: boolean;
  bell: PromiseWithResolvers<void>;
}

export interface WaitsOptions {
  /** How many may wait at once. */
  readonly maxWaits: number;
  /** How soon to look again for what nobody has told, in milliseconds; never if left out. */
  readonly lookAgainMs?: number | undefined;
}

/** Beyond so many waits each looks again the more seldom, so that all of them together do not look more often. */
const EASY_WAITS = 200;

export function createWaits({ maxWaits, lookAgainMs }: WaitsOptions): Waits {
  const waitsOf = new Map<string, Set<Wait>>();
  let count = 0;
  let isDrained = false;

  /** Begins to listen for the key; answers how to stop. */
  const enter = (key: string, wait: Wait): (() => void) => {
    const waits = waitsOf.get(key) ?? new Set();
    waitsOf.set(key, waits.add(wait));
    count += 1;
    return () => {
      count -= 1;
      waits.delete(wait);
      if (waits.size === 0) waitsOf.delete(key);
    };
  };

  /** A change that another process made may be told late, or never. Answers how to stop. */
  const lookAgain = (wait: Wait): (() => void) => {
    if (lookAgainMs === undefined) return () => {};
    let timer = setTimeout(ring, lookAgainMs);
    function ring() {
      wait.bell.resolve();
      timer = setTimeout(ring, (lookAgainMs ?? 0) * Math.max(1, count / EASY_WAITS));
    }
    return () => clearTimeout(timer);
  };

  return {
    async until(key, timeoutMs, look, isDone) {
      if (isDrained || count >= maxWaits) return look();
      const wait: Wait = { isOver: false, bell: Promise.withResolvers() };
      // Listening begins before the first look, so that no change can fall between the two.
      const leave = enter(key, wait);
      const timer = setTimeout(end, timeoutMs, wait);
      const stopLooking = lookAgain(wait);
      try {
        let seen = await look();
        while (!isDone(seen) && !wait.isOver) {
          await wait.bell.promise;
          wait.bell = Promise.withResolvers();
          seen = await look();
        }
        return seen;
      } finally {
        clearTimeout(timer);
        stopLooking();
        leave();
      }
    },
    wake(key) {
      queueMicrotask(() => {
        for (const wait of waitsOf.get(key) ?? []) wait.bell.resolve();
      });
    },
    drain() {
      isDrained = true;
      for (const waits of waitsOf.values()) for (const wait of waits) end(wait);
    },
  };
}

function end(wait: Wait): void {
  wait.isOver = true;
  wait.bell.resolve();
}
