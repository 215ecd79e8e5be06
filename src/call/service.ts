import type { z } from "zod";
import { ENVIRONMENT_PROBLEMS, type FieldError, isProblem, Problem, validationFailed } from "../base/problem.ts";
import { inSpan, isSampled } from "../base/span.ts";
import { type Claim, claimOf } from "../contract/claim.ts";
import { type CallContext, remainingMs } from "../contract/context.ts";
import type { Callable, Contract, HandlersOf, Operation } from "../contract/contract.ts";
import { requireTime, tooLate } from "../contract/in-time.ts";
import type { Progress } from "../contract/progress.ts";
import { requireAccess } from "../identity/access.ts";
import { Binding, pointer, unknownMember } from "./binding.ts";
import { type Fault, injectFault } from "./faults.ts";
import type { UnderWay } from "./under-way.ts";
import { validationText } from "./validation-text.ts";

export interface ServiceOptions {
  /** Told of every failure without a name, which the caller sees as `internal`. */
  readonly onUnexpected: (operation: string, error: unknown, ctx: CallContext) => void;
  /** Runs work once per claim, and answers what it answered from then on: the `Answers` of the module's store. */
  readonly answers?: { once<T extends object>(claim: Claim, work: () => Promise<T>, askedAt?: number): Promise<T> };
  /** Counts the calls that are being served. */
  readonly underWay?: UnderWay;
  /** Faults to inject, by `<module>.<operation>`; looked at for each call. */
  readonly faults?: ReadonlyMap<string, Fault> | undefined;
}

/** How long after the deadline what has begun may take to be on disk; a caller elsewhere waits twice as long for its answer. */
const DURABLE_MS = 50;

type OwnContext = CallContext & { readonly claim: Claim | undefined };
type Input = Readonly<Record<string, unknown>>;
type Handler = (input: Input, ctx: OwnContext) => unknown;
type Serve = (input: Input, ctx: CallContext) => Promise<unknown>;

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
    const serve = serveOperation(contract.name, name, operation, handler, options);
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

/** Sampled work runs in a span, which the handler is given as its trace. */
function traced(service: string, name: string, { method, path }: Operation, serve: Serve): Serve {
  const attributes = { "http.request.method": method, "http.route": path };
  const start = { kind: "serve", name: `${service}.${name}`, service, attributes } as const;
  return (input, ctx) =>
    isSampled(ctx.trace)
      ? inSpan(ctx.trace, start, (span) => span.run(() => serve(input, { ...ctx, trace: span.context })))
      : serve(input, ctx);
}

function serveOperation(
  service: string,
  name: string,
  operation: Operation,
  handler: Handler,
  options: ServiceOptions,
): Serve {
  const fullName = `${service}.${name}`;
  const { faults, underWay } = options;
  const isOnce = operation.idempotent === true && operation.access !== "public";
  const run = isOnce ? once(fullName, handler, options) : handler;
  return async (input, ctx) => {
    requireAccess(operation.access, ctx.principal);
    const parsed = parseInput(operation, input);
    const progress: Progress = ctx.progress ?? { begun: false };
    const claim = isOnce ? claimOf(ctx.principal?.id, name, parsed) : undefined;
    const own = { ...ctx, progress, claim };
    underWay?.begin();
    try {
      requireTime(own);
      const fault = faults?.get(fullName);
      const work = fault === undefined ? run(parsed, own) : injectFault(fault, () => run(parsed, own));
      const output = work instanceof Promise ? await beforeDeadline(work, own, progress) : work;
      return operation.output.parse(output);
    } catch (error) {
      if (isProblem(error) && mayLeave(error, operation)) throw error;
      options.onUnexpected(fullName, error, ctx);
      throw internal(error, progress);
    } finally {
      underWay?.end();
    }
  };
}

function internal(cause: unknown, { begun }: Progress): Problem {
  const extensions = begun ? { extensions: { outcome: "unknown" } } : undefined;
  return new Problem("internal", "Something went wrong here.", { ...extensions, cause });
}

/** The handler, which runs once per claim. */
function once(name: string, handler: Handler, { answers }: ServiceOptions): Handler {
  if (answers === undefined) throw new Error(`${name} is idempotent, and nothing keeps its answers`);
  return (input, ctx) =>
    ctx.claim === undefined
      ? handler(input, ctx)
      : answers.once(ctx.claim, async () => handler(input, ctx) as Promise<object>, ctx.askedAt);
}

/**
 * What the operation declares, what the environment suffers, and the fault of the caller's token, which may have expired
 * on its way to a neighbour.
 */
function mayLeave({ code }: Problem, { problems }: Operation): boolean {
  return problems.includes(code) || ENVIRONMENT_PROBLEMS.has(code) || code === "invalid-token";
}

function parseInput(operation: Operation, input: Input): Input {
  const result = operation.input.safeParse(input, { error: validationText });
  if (result.success) return result.data;
  throw validationFailed(result.error.issues.flatMap((issue) => fieldErrors(Binding.of(operation), issue)));
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
