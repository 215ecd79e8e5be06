import { BrokenCircuitError } from "cockatiel";
import { ENVIRONMENT_PROBLEMS, isProblem, Problem } from "../base/problem.ts";
import { problemTypes } from "../base/problem-types.ts";
import { remainingMs } from "../contract/context.ts";
import type { Callable, Contract, Operation } from "../contract/contract.ts";
import { tooLate } from "../contract/in-time.ts";
import type { Addresses } from "./addresses.ts";
import { Binding } from "./binding.ts";
import type { BreakerState } from "./breaker.ts";
import { createFlightSender, NotServing } from "./flight.ts";
import { BATCH_LIMIT } from "./limits.ts";
import { type CallQueue, createCallQueue, type Journey, type RemoteOperation, SLOTS } from "./queue.ts";
import { Replicas } from "./replicas.ts";
import { type CreateTransport, unreachable } from "./transport.ts";

/** How often a call is tried, at the most; where there are more replicas, once for each. */
const ATTEMPTS = 2;

export interface HttpCallableOptions {
  /** Whether the other end takes batches: a module does, a gateway, which is for the public, does not. */
  readonly takesBatches?: boolean;
}

/** A module that is served by another process, or by several alike. */
export interface HttpCallable extends Callable {
  /** What the same processes serve beside it, by the same connections. */
  beside(contract: Contract): Callable;
  /** Whether calls get through to each address: `open` while it is left alone after failures, `half-open` while one call tries. */
  breakers(): ReadonlyMap<string, BreakerState>;
  /** Where its processes are. */
  readonly addresses: Addresses;
  /** Nobody waits for anything any more: reads that do are asked again, for how it is. */
  drain(): void;
  close(): Promise<void>;
}

/**
 * The client of a contract whose module lives elsewhere: the same type and the same failures as the local one.
 * An answer that does not come in time is `upstream-timeout`; a neighbour that cannot be reached, or breaks off,
 * is `dependency-unavailable`: the call may have run. It is tried again where that is safe: a read, a PUT, a DELETE,
 * a call with an idempotency key, or, where there are others to try, one that has not arrived.
 * @param addresses of its replicas; calls go to them in turn
 */
export function createHttpCallable(
  contract: Contract,
  addresses: Addresses,
  createTransport: CreateTransport,
  { takesBatches = true }: HttpCallableOptions = {},
): HttpCallable {
  const replicas = new Replicas({
    addresses,
    connect: createTransport,
    sender: (transport) => createFlightSender(transport, takesBatches),
  });
  const queue = createCallQueue(replicas.send, takesBatches ? BATCH_LIMIT : 1, () => SLOTS * replicas.count);
  return {
    ...endingWaits(callableOf(contract, queue, replicas)),
    beside: (other) => callableOf(other, queue, replicas),
    breakers: () => replicas.breakers(),
    addresses,
    close: () => replicas.close(),
  };
}

/** Where a process stops whose callers wait for a neighbour that goes on, they are answered before their connections are cut. */
function endingWaits({ contract, call }: Callable): Callable & Pick<HttpCallable, "drain"> {
  const waits = new Set<() => void>();
  let isDrained = false;
  return {
    contract,
    call(name, input, ctx) {
      const operation = contract.operations[name];
      if (operation?.method !== "GET" || Binding.of(operation).extraTimeMs(input) === 0) return call(name, input, ctx);
      const look = () => call(name, Binding.of(operation).withoutWait(input), ctx);
      if (isDrained) return look();
      return new Promise((resolve, reject) => {
        const endWait = () => void look().then(resolve, () => undefined); // the neighbour may stop as well, and end the wait itself
        waits.add(endWait);
        call(name, input, ctx)
          .then(resolve, reject)
          .finally(() => waits.delete(endWait));
      });
    },
    drain() {
      isDrained = true;
      for (const endWait of waits) endWait();
    },
  };
}

function callableOf(contract: Contract, queue: CallQueue, replicas: Pick<Replicas, "count">): Callable {
  const operations = operationsOf(contract);
  return {
    contract,
    async call(name, input, ctx) {
      const callee = operations.get(name);
      if (callee === undefined) throw new Problem("not-found", "There is no such operation.");
      const { operation, isRead } = callee;
      const patient = Binding.of(operation).extraTimeMs(input) > 0;
      let mayHaveRun = false; // also an attempt before the last
      const attempt = () => {
        const journey: Journey = { sent: false, bounded: false, begun: false };
        return queue.call({ callee, input, ctx, journey }, patient).catch((error: unknown) => {
          mayHaveRun ||= !isRead && !isProblem(error) && !hasNotArrived(error, journey);
          throw error;
        });
      };
      const isSafe = isSafeToRepeat(operation, input);
      const mayRepeat = (error: unknown) =>
        !isFinal(error) && remainingMs(ctx) > 0 && (isSafe || (!mayHaveRun && replicas.count > 1));
      try {
        return await tryUpTo(Math.max(ATTEMPTS, replicas.count), attempt, mayRepeat);
      } catch (error) {
        const problem = problemOf(error) ?? unreachable(contract.name, error);
        throw mayHaveRun ? asUnknown(problem) : problem;
      }
    },
  };
}

async function tryUpTo<T>(
  attempts: number,
  attempt: () => Promise<T>,
  mayRepeat: (error: unknown) => boolean,
): Promise<T> {
  for (let left = attempts - 1; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || !mayRepeat(error)) throw error;
    }
  }
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

function problemOf(error: unknown): Problem | undefined {
  return error instanceof NotServing ? error.problem : isProblem(error) ? error : undefined;
}

/** An answer is final, and so is an open breaker: only a lost connection is worth another try. */
function isFinal(error: unknown): boolean {
  return isProblem(error) || error instanceof BrokenCircuitError;
}

/** A connection that was never made, or never tried, has carried nothing; one that broke may have. */
function hasNotArrived(error: unknown, { sent }: Journey): boolean {
  return (
    !sent ||
    error instanceof BrokenCircuitError ||
    error instanceof NotServing ||
    systemCallsOf(error).some((each) => BEFORE_ANY.has(each))
  );
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
