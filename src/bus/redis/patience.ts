import { Stopped } from "../../base/pace.ts";

/** Waits for answers until that has no use any more. */
export class Patience {
  readonly #waiting = new Set<(reason: Stopped) => void>();
  #isOver = false;

  /** The same thing, whose methods reject with Stopped as soon as the patience is over. What was asked may be done all the same. */
  guard<T extends object>(target: T): T {
    const guarded = Object.entries(target).map(([name, method]) => [name, this.of(method)]);
    return Object.fromEntries(guarded);
  }

  /** The same of a function. */
  of<P extends readonly unknown[], R>(ask: (...args: P) => Promise<R>): (...args: P) => Promise<R> {
    return (...args) =>
      new Promise((resolve, reject) => {
        if (this.#isOver) return reject(new Stopped());
        this.#waiting.add(reject);
        const over = () => this.#waiting.delete(reject);
        ask(...args)
          .finally(over)
          .then(resolve, reject);
      });
  }

  /** From now on nothing is waited for. */
  end(): void {
    this.#isOver = true;
    for (const reject of this.#waiting) reject(new Stopped());
  }
}
