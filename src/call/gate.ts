import { Problem } from "../base/problem.ts";
import { beginSpan, codeOf, isSampled } from "../base/span.ts";
import { type CallContext, remainingMs } from "../contract/context.ts";
import type { Callable } from "../contract/contract.ts";
import { tooLate } from "../contract/in-time.ts";

/** The most calls that wait at one gate; what comes beyond is refused at once. */
const MOST_WAITING = 5_000;

/** Holds calls up until it is known where they go. None waits longer than its caller does. */
export interface Gate extends Callable {
  /** How many calls wait at it now. */
  readonly waiting: number;
  /** How many have waited since it closed. */
  readonly waited: number;
  /** Lets all that wait go there, in the order in which they came. */
  openTo(target: Callable): void;
}

/** A gate that is closed. A sampled call that waits at it has a span for that, which ends when it goes on or gives up. */
export function createGate({ contract }: Pick<Callable, "contract">): Gate {
  const waiting = new Set<(target: Callable) => void>();
  let waited = 0;
  const wait = (name: string, input: Readonly<Record<string, unknown>>, ctx: CallContext) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const start = { kind: "gate", name: `${contract.name}.${name}`, service: contract.name } as const;
      const span = isSampled(ctx.trace) ? beginSpan(ctx.trace, start) : undefined;
      const go = (target: Callable) => {
        clearTimeout(timer);
        span?.end("ok");
        target.call(name, input, ctx).then(resolve, reject);
      };
      const timer = setTimeout(() => {
        waiting.delete(go);
        const late = tooLate("not-begun");
        span?.end(codeOf(late));
        reject(late);
      }, remainingMs(ctx));
      waiting.add(go);
      waited += 1;
    });
  return {
    contract,
    get waiting() {
      return waiting.size;
    },
    get waited() {
      return waited;
    },
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
