import { Problem } from "../base/problem.ts";
import { type CallContext, remainingMs } from "../contract/context.ts";
import type { Callable } from "../contract/contract.ts";
import { tooLate } from "../contract/in-time.ts";

/** The most calls that wait at one gate; what comes beyond is refused at once. */
const MOST_WAITING = 5_000;

/** Holds calls up until it is known where they go. None waits longer than its caller does. */
export interface Gate extends Callable {
  /** Lets all that wait go there, in the order in which they came. */
  openTo(target: Callable): void;
}

/** A gate that is closed. */
export function createGate({ contract }: Pick<Callable, "contract">): Gate {
  const waiting = new Set<(target: Callable) => void>();
  const wait = (name: string, input: Readonly<Record<string, unknown>>, ctx: CallContext) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const go = (target: Callable) => {
        clearTimeout(timer);
        target.call(name, input, ctx).then(resolve, reject);
      };
      const timer = setTimeout(() => {
        waiting.delete(go);
        reject(tooLate("not-begun"));
      }, remainingMs(ctx));
      waiting.add(go);
    });
  return {
    contract,
    call: (...call) => (waiting.size < MOST_WAITING ? wait(...call) : Promise.reject(tooMany(contract.name))),
    openTo(target) {
      for (const go of waiting) go(target);
      waiting.clear();
    },
  };
}

function tooMany(name: string): Problem {
  const detail = `The ${name} service moves to another process, and too many wait for it already.`;
  return new Problem("dependency-unavailable", detail, { retryAfterSeconds: 1 });
}
