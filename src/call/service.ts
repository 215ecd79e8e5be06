import type { z } from "zod";
import { ENVIRONMENT_PROBLEMS, type FieldError, isProblem, Problem, validationFailed } from "../base/problem.ts";
import { inSpan, isSampled } from "../base/span.ts";
import { type CallContext, remainingMs } from "../contract/context.ts";
import type { Callable, Contract, HandlersOf, Operation } from "../contract/contract.ts";
import { requireTime, tooLate } from "../contract/in-time.ts";
import type { Progress } from "../contract/progress.ts";
import { Binding, pointer, unknownMember } from "./binding.ts";
import { type Fault, injectFault } from "./faults.ts";
import { validationText } from "./validation-text.ts";

export interface ServiceOptions {
  /** Told of every failure without a name, which the caller sees as `internal`. */
  readonly onUnexpected: (operation: string, error: unknown, ctx: CallContext) => void;
  /** Faults to inject, by `<module>.<operation>`. */
  readonly faults?: ReadonlyMap<string, Fault> | undefined;
}

/** How long after the deadline what has begun may take to be on disk; a caller elsewhere waits twice as long for its answer. */
const DURABLE_MS = 50;

type Handler = (input: unknown, ctx: CallContext) => unknown;
type Serve = (input: Readonly<Record<string, unknown>>, ctx: CallContext) => Promise<unknown>;

/**
 * A module that can be called: what the contract promises is enforced here, at the callee, for every caller
 * and in every topology: access, strict parsing in and out, the deadline, and which problems may leave.
 */
export function createService<C extends Contract>(
  contract: C,
  handlers: HandlersOf<C>,
  options: ServiceOptions,
): Callable {
  const served = new Map<string, Serve>();
  for (const [name, operation] of Object.entries(contract.operations)) {
    const handler = handlers[name] as Handler | undefined;
    if (handler === undefined) throw new Error(`${contract.name} does not implement ${name}`);
    const serve = serveOperation(`${contract.name}.${name}`, operation, handler, options);
    served.set(name, traced(contract.name, name, operation, serve));
  }
  return {
    contract,
    call(name, input, ctx) {
      const serve = served.get(name);
      if (serve === undefined) return Promise.reject(new Problem("not-found", "There is no such operation."));
      return serve(input, ctx) as Promise<Record<string, unknown>>;
    },
  };
}

/**
 * Checks the access that an operation asks for.
 * @throws Problem unauthenticated, or forbidden
 */
export function checkAccess(operation: Operation, ctx: Pick<CallContext, "principal">): void {
  if (operation.access === "public") return;
  if (ctx.principal === null) throw new Problem("unauthenticated", "This needs a signed-in user.");
  if (operation.access === "admin" && ctx.principal.role !== "admin") {
    throw new Problem("forbidden", "This needs an admin.");
  }
}

/**
 * Whether a fault of the caller's token makes no difference: what anybody may do is done for who sends a token that is no
 * good, too, or a client that always sends its own could never sign in again. One that cannot be checked now may be good.
 */
export function passesOver(operation: Operation | undefined, fault: unknown): boolean {
  return operation?.access === "public" && isProblem(fault, "invalid-token");
}

/** Sampled work runs in a span, which the handler is given as its trace. */
function traced(service: string, name: string, { method, path }: Operation, serve: Serve): Serve {
  const attributes = { "http.request.method": method, "http.route": path };
  const start = { kind: "serve", name: `${service}.${name}`, service, attributes } as const;
  return (input, ctx) =>
    isSampled(ctx.trace)
      ? inSpan(ctx.trace, start, (span) => span.run(() => serve(input, { ...ctx, trace: span.context })))
      : serve(input, ctx);
}

function serveOperation(name: string, operation: Operation, handler: Handler, options: ServiceOptions): Serve {
  const binding = new Binding(operation);
  const fault = options.faults?.get(name);
  return async (input, ctx) => {
    checkAccess(operation, ctx);
    const parsed = parseInput(operation.input, binding, input);
    const progress: Progress = ctx.progress ?? { begun: false };
    const own: CallContext = { ...ctx, progress };
    try {
      requireTime(own);
      const work = fault === undefined ? handler(parsed, own) : injectFault(fault, () => handler(parsed, own));
      const output = work instanceof Promise ? await beforeDeadline(work, own, progress) : work;
      return operation.output.parse(output);
    } catch (error) {
      if (isProblem(error) && mayLeave(error, operation)) throw error;
      options.onUnexpected(name, error, ctx);
      const extensions = progress.begun ? { extensions: { outcome: "unknown" } } : undefined;
      throw new Problem("internal", "Something went wrong here.", { ...extensions, cause: error });
    }
  };
}

/**
 * What the operation declares, what the environment suffers, and the fault of the caller's token, which may have expired
 * on its way to a neighbour.
 */
function mayLeave({ code }: Problem, { problems }: Operation): boolean {
  return problems.includes(code) || ENVIRONMENT_PROBLEMS.has(code) || code === "invalid-token";
}

function parseInput(schema: z.ZodObject, binding: Binding, input: Readonly<Record<string, unknown>>): unknown {
  const result = schema.safeParse(input, { error: validationText });
  if (result.success) return result.data;
  throw validationFailed(result.error.issues.flatMap((issue) => fieldErrors(binding, issue)));
}

function fieldErrors(binding: Binding, issue: z.core.$ZodIssue): FieldError[] {
  const member = issue.path[0];
  const where = member === undefined ? binding.locationOf("") : binding.locationOf(String(member));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const error = unknownMember(where, key);
      return { ...error, pointer: pointer([...issue.path, key]) };
    });
  }
  const path = member === undefined ? [] : [binding.wireName(String(member)), ...issue.path.slice(1)];
  return [{ in: where, pointer: pointer(path), detail: issue.message }];
}

/**
 * Settles with the work, or fails when the caller's deadline has passed; the work itself goes on. For what has begun, and is on its
 * way to the disk, the caller waits somewhat longer: then he is told what came of it.
 */
function beforeDeadline(work: Promise<unknown>, ctx: CallContext, progress: Progress): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(tooLate(progress.begun ? "unknown" : "not-begun"));
    const atDeadline = () => {
      if (progress.begun) timer = setTimeout(giveUp, DURABLE_MS);
      else giveUp();
    };
    // Timers fire up to a millisecond early: what sees time left before it commits must not be told of as too late.
    let timer = setTimeout(atDeadline, Math.ceil(remainingMs(ctx)) + 1);
    const settle =
      <T>(how: (outcome: T) => void) =>
      (outcome: T) => {
        clearTimeout(timer);
        how(outcome);
      };
    work.then(settle(resolve), settle(reject));
  });
}
