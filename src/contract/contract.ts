import type { z } from "zod";
import { Problem, type ProblemOptions } from "../base/problem.ts";
import { type KitProblem, type ProblemDeclarations, problemTypes } from "../base/problem-types.ts";
import type { CallContext, SignedInContext } from "./context.ts";

/** Who may call: anyone, a signed-in user, or an admin. Ownership is the handler's to check. */
export type Access = "public" | "user" | "admin";

/** What is counted apart: guesses at who somebody is, and the exchange of refresh tokens. */
export type Budget = "sign-in" | "refresh";

/**
 * A header that carries a member; of `Prefer` (RFC 7240) one preference does, and a strange one is ignored. `wait` is more than a
 * member: by so many seconds the call may take longer.
 */
export interface HeaderBinding {
  readonly name: string;
  readonly preference?: string;
}

/**
 * One operation of a module. Where a member of the input travels follows from its name: named in the
 * path template → path; named in `inputHeaders` → header; else the query of a GET or DELETE, whose content means nothing
 * (RFC 9110, 9.3.1 and 9.3.5), the body of all others.
 */
export interface Operation<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
  P extends string = string,
  A extends Access = Access,
> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path template with `{member}` placeholders, such as `/orders/{id}`; what stands there holds no slash. */
  readonly path: string;
  /** Further paths that mean the same. */
  readonly aliases?: readonly string[];
  readonly access: A;
  readonly summary: string;
  /** A strict object: unknown members are refused. */
  readonly input: I;
  /** Members of the input that travel as headers. */
  readonly inputHeaders?: Readonly<Record<string, HeaderBinding>>;
  /**
   * The same request with the same key is done once: the header `Idempotency-Key` is the member `idempotencyKey`, and an answer that
   * is given again has `replayed`. Who has signed in has keys of his own; of others' the module must see to it.
   */
  readonly idempotent?: boolean;
  /** What leaves: members that are not declared here never do. */
  readonly output: O;
  /** Members of the output that travel as headers, not in the body: member → header name. */
  readonly outputHeaders?: Readonly<Record<string, string>>;
  /** Status of success: 200 if left out; with 204 (no content) the output has no members. */
  readonly status?: number;
  /** The names of the problems that the handler may answer, beside those of the environment. */
  readonly problems: readonly P[];
  /** The `Location` of what was made. */
  location?(output: z.output<O>): string;
  /**
   * The strong `ETag` of the output, quotes included; a GET honours `If-None-Match` with it.
   * @param json what is answered: the output's members in the order of its schema, without those that travel as headers
   */
  etag?(output: z.output<O>, json: string): string;
  /** The answer is a page: `next_cursor` is repeated as `Link: rel="next"`. */
  readonly paged?: boolean;
  /** Counted in a budget of its own, too: by address, whoever's token comes along. */
  readonly budget?: Budget;
}

/** The status of an answer that has no body. */
export const NO_CONTENT = 204;

/** Declares one operation; `location` and `etag` learn their types from the output. */
export function operation<
  I extends z.ZodObject,
  O extends z.ZodObject,
  A extends Access,
  const P extends string = never,
>(spec: Operation<I, O, P, A>): Operation<I, O, P | KitProblem, A> {
  if (spec.idempotent !== true) return spec;
  const { inputHeaders, outputHeaders, problems } = spec;
  return {
    ...spec,
    inputHeaders: { ...inputHeaders, idempotencyKey: { name: "Idempotency-Key" } },
    outputHeaders: { ...outputHeaders, replayed: "Idempotency-Replayed" },
    problems: [...problems, "idempotency-key-reused", "request-in-progress"],
  };
}

/** All that others may see of a module. */
export interface Contract {
  readonly name: string;
  /** The module's own problem names, what kind of failure each is, and what it means. */
  readonly problems: ProblemDeclarations;
  readonly operations: Readonly<Record<string, Operation>>;
  /** The events it publishes: type → schema of the data. */
  readonly events: Readonly<Record<string, z.ZodObject>>;
}

/** A client's type, from the contract alone: the same for every transport. */
export type ClientOf<C extends Contract> = {
  readonly [K in keyof C["operations"]]: (
    input: z.input<C["operations"][K]["input"]>,
    ctx: CallContext,
  ) => Promise<z.output<C["operations"][K]["output"]>>;
};

/** What a module implements. A handler's input and access have been checked; what it answers will be. */
export type HandlersOf<C extends Contract> = {
  readonly [K in keyof C["operations"]]: (
    input: z.output<C["operations"][K]["input"]>,
    ctx: C["operations"][K]["access"] extends "public" ? CallContext : SignedInContext,
  ) => z.input<C["operations"][K]["output"]> | Promise<z.input<C["operations"][K]["output"]>>;
};

/** The data of one type of event. */
export type EventData<C extends Contract, T extends keyof C["events"]> = z.output<C["events"][T]>;

/** An operation called by name: what local services, HTTP clients and routes have in common. */
export interface Callable {
  readonly contract: Contract;
  /**
   * @param input the members of the operation's input, not yet parsed
   * @returns the parsed output
   * @throws Problem, always: a failure without a name becomes `internal`
   */
  call(operation: string, input: Readonly<Record<string, unknown>>, ctx: CallContext): Promise<Record<string, unknown>>;
}

/** What `defineContract` adds to a contract: its own problems, made and told apart by their names. */
export interface OwnProblems<Code extends string> {
  /** @param detail one sentence for the person who reads the answer */
  problem(code: Code, detail: string, options?: ProblemOptions): Problem;
  isProblem(error: unknown, code: Code): error is Problem;
}

type CodeOf<C extends Contract> = keyof C["problems"] & string;

/** An operation answers problems of its contract and of the kit. */
type AnswersKnown<C extends Contract> = {
  readonly operations: Readonly<Record<string, { readonly problems: readonly (CodeOf<C> | KitProblem)[] }>>;
};

/**
 * Declares a contract.
 * @throws Error when a problem has the name of another of the kit's, an operation without content has an output, or an idempotent
 *   one no key or nothing to tell a replay with
 */
export function defineContract<const C extends Contract>(contract: C & AnswersKnown<C>): C & OwnProblems<CodeOf<C>> {
  for (const [name, { status, input, output, idempotent }] of Object.entries(contract.operations)) {
    if (idempotent === true && !("idempotencyKey" in input.shape && "replayed" in output.shape)) {
      throw new Error(`${contract.name}.${name} is idempotent: it takes idempotencyKey, and answers replayed`);
    }
    if (status === NO_CONTENT && Object.keys(output.shape).length > 0) {
      throw new Error(`${contract.name}.${name} answers ${NO_CONTENT}, which has no content, but has an output`);
    }
  }
  const types = problemTypes(contract.problems);
  return {
    ...contract,
    problem: (code, detail, options) => new Problem(types.get(code) ?? "internal", detail, options),
    isProblem: (error, code): error is Problem => error instanceof Problem && error.code === code,
  };
}

/** The typed client of anything that can be called by name. */
export function createClient<C extends Contract>(contract: C, callable: Callable): ClientOf<C> {
  const methods = Object.keys(contract.operations).map((name) => [
    name,
    (input: Record<string, unknown>, ctx: CallContext) => callable.call(name, input, ctx),
  ]);
  return Object.fromEntries(methods) as ClientOf<C>;
}
