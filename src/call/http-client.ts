import { BrokenCircuitError } from "cockatiel";
import { ENVIRONMENT_PROBLEMS, isProblem, Problem } from "../base/problem.ts";
import { problemTypes } from "../base/problem-types.ts";
import { remainingMs } from "../contract/context.ts";
import type { Callable, Contract, Operation } from "../contract/contract.ts";
import { tooLate } from "../contract/in-time.ts";
import { Binding } from "./binding.ts";
import { type BreakerState, createBreaker } from "./breaker.ts";
import { createFlightSender } from "./flight.ts";
import { BATCH_LIMIT } from "./limits.ts";
import { type CallQueue, createCallQueue, type Journey, type RemoteOperation } from "./queue.ts";
import type { CreateTransport } from "./transport.ts";

export interface HttpCallableOptions {
  /** Whether the other end takes batches: a module does, a gateway, which is for the public, does not. */
  readonly takesBatches?: boolean;
}

/** A module that is served by another process. */
export interface HttpCallable extends Callable {
  /** What the same process serves beside it, by the same connections. */
  beside(contract: Contract): Callable;
  /** Whether calls get through: `open` while it is left alone after failures, `half-open` while one call tries. */
  breaker(): BreakerState;
  close(): Promise<void>;
}

/**
 * The client of a contract whose module lives elsewhere: the same type and the same failures as the local one.
 * An answer that does not come in time is `upstream-timeout`; a neighbour that cannot be reached, or breaks off,
 * is `dependency-unavailable`: the call may have run. It is tried once more where that is safe: a read, a PUT, a DELETE,
 * or a call with an idempotency key.
 * @param origin `http://host:port`
 */
export function createHttpCallable(
  contract: Contract,
  origin: string,
  createTransport: CreateTransport,
  { takesBatches = true }: HttpCallableOptions = {},
): HttpCallable {
  const transport = createTransport(origin);
  const breaker = createBreaker();
  const send = createFlightSender(transport, takesBatches);
  const queue = createCallQueue(
    (calls, signal) => breaker.execute(() => send(calls, signal)),
    takesBatches ? BATCH_LIMIT : 1,
  );
  return {
    ...callableOf(contract, queue),
    beside: (other) => callableOf(other, queue),
    breaker: breaker.state,
    close: () => transport.close(),
  };
}

function callableOf(contract: Contract, queue: CallQueue): Callable {
  const operations = operationsOf(contract);
  return {
    contract,
    async call(name, input, ctx) {
      const callee = operations.get(name);
      if (callee === undefined) throw new Problem("not-found", "There is no such operation.");
      const { operation, isRead } = callee;
      const patient = Binding.of(operation).extraTimeMs(input) > 0;
      let mayHaveRun = false; // also the first of two attempts
      const attempt = () => {
        const journey: Journey = { sent: false, bounded: false, begun: false };
        return queue.call({ callee, input, ctx, journey }, patient).catch((error: unknown) => {
          mayHaveRun ||= !isRead && !isProblem(error) && !hasNotArrived(error, journey);
          throw error;
        });
      };
      try {
        return await attempt().catch((error) => {
          if (isFinal(error) || !isSafeToRepeat(operation, input) || remainingMs(ctx) === 0) throw error;
          return attempt();
        });
      } catch (error) {
        const problem = isProblem(error) ? error : unreachable(contract.name, error);
        throw mayHaveRun ? asUnknown(problem) : problem;
      }
    },
  };
}

function operationsOf({ operations, problems }: Contract): ReadonlyMap<string, RemoteOperation> {
  const types = problemTypes(problems);
  return new Map(
    Object.entries(operations).map(([name, operation]) => [
      name,
      { name, operation, types, isRead: operation.method === "GET" },
    ]),
  );
}

/** An answer is final, and so is an open breaker: only a lost connection is worth another try. */
function isFinal(error: unknown): boolean {
  return isProblem(error) || error instanceof BrokenCircuitError;
}

/** A connection that was never made, or never tried, has carried nothing; one that broke may have. */
function hasNotArrived(error: unknown, { sent }: Journey): boolean {
  return !sent || error instanceof BrokenCircuitError || systemCallsOf(error).some((each) => BEFORE_ANY.has(each));
}

/** What comes before a connection can carry anything: a name that nobody has any more is a container that was stopped. */
const BEFORE_ANY: ReadonlySet<unknown> = new Set(["connect", "getaddrinfo"]);

/** Under both names that libraries give it. */
function systemCallsOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [];
  const causes = error instanceof AggregateError ? error.errors : [error.cause];
  const { syscall, erroredSysCall } = error as {
    readonly syscall?: unknown;
    readonly erroredSysCall?: unknown;
  } & Error;
  return [syscall, erroredSysCall, ...causes.flatMap(systemCallsOf)];
}

function unreachable(name: string, cause: unknown): Problem {
  return new Problem("dependency-unavailable", `The ${name} service cannot be reached.`, { cause });
}

/** Of a call that may have run in one attempt, whatever became of the other: that it was not begun, least of all. */
function asUnknown(problem: Problem): Problem {
  const { code, type, message, options } = problem;
  if (code === "upstream-timeout") return tooLate("unknown");
  if (!ENVIRONMENT_PROBLEMS.has(code)) return problem;
  const told = `${message} This may have been done or not: send it again, with the same Idempotency-Key if it had one.`;
  return new Problem(type, told, { ...options, extensions: { ...options.extensions, outcome: "unknown" } });
}

/** The methods of ours whose second request changes nothing more than the first (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<Operation["method"]> = new Set(["GET", "PUT", "DELETE"]);

function isSafeToRepeat(operation: Operation, input: Readonly<Record<string, unknown>>): boolean {
  return IDEMPOTENT.has(operation.method) || input.idempotencyKey !== undefined;
}
