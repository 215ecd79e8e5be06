import { inSpan, isSampled } from "../base/span.ts";
import type { Callable } from "../contract/contract.ts";

/**
 * The same callable, whose sampled calls are spans: in one process as between processes.
 * @param caller who calls
 */
export function traceCalls(callable: Callable, caller: string): Callable {
  const { contract } = callable;
  return {
    contract,
    call(operation, input, ctx) {
      if (!isSampled(ctx.trace)) return callable.call(operation, input, ctx);
      const name = `${contract.name}.${operation}`;
      return inSpan(ctx.trace, { kind: "call", name, service: caller, peer: contract.name }, (span) =>
        callable.call(operation, input, { ...ctx, trace: span.context }),
      );
    },
  };
}
