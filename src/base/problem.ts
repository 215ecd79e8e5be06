import { builtInTypes, type ProblemDeclaration, type ProblemType, toProblemType } from "./problem-types.ts";

/**
 * Every failure that a caller may see has a name, and a name has one status and one title everywhere.
 * The names follow RFC 9457 ("problem details"): the type of a problem is `/problems/<name>`.
 */

/** Where in a request a fault was found, RFC 6901 pointer included. */
export interface FieldError {
  readonly in: "body" | "query" | "path" | "header";
  readonly pointer: string;
  readonly detail: string;
}

/** The types known by name: those of the kit, and what contracts add with `declareProblems`. */
const types = new Map(builtInTypes);

/** Failures of the environment: any operation may answer them without declaring them. */
export const ENVIRONMENT_PROBLEMS: ReadonlySet<string> = new Set([
  "dependency-unavailable",
  "upstream-timeout",
  "overloaded",
  "storage-full",
  "draining",
]);

/**
 * Makes a contract's own problem names known.
 * @throws Error when the name is known already with another status: a name means one thing.
 */
export function declareProblems(declarations: Readonly<Record<string, ProblemDeclaration>>): void {
  for (const [name, declaration] of Object.entries(declarations)) {
    const type = toProblemType(declaration);
    const known = types.get(name);
    if (known !== undefined && known.status !== type.status) {
      throw new Error(`problem ${name} is ${known.status}, not ${type.status}`);
    }
    types.set(name, type);
  }
}

/** All names known now, and what they mean. */
export function knownProblems(): ReadonlyMap<string, ProblemType> {
  return types;
}

/** `Insufficient stock` from `insufficient-stock`: the title of RFC 9457. */
export function titleOf(name: string): string {
  const words = name.replaceAll("-", " ").replace(/\bjson\b/, "JSON");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export interface ProblemOptions {
  /** One fault per field, for `validation-failed`. */
  readonly errors?: readonly FieldError[];
  /** Members of its own that a problem adds to the body, such as `available`. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** Seconds after which a retry makes sense; answered as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Headers that belong to the answer, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A failure with a name: what crosses every boundary, in one process as between processes. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: string;
  readonly status: number;
  readonly options: ProblemOptions;

  /**
   * @param code a declared name, such as `not-found`
   * @param detail one sentence for the person who reads the answer
   * @throws Error when the name was never declared
   */
  constructor(code: string, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    const type = types.get(code);
    if (type === undefined) throw new Error(`undeclared problem: ${code}`);
    this.code = code;
    this.status = type.status;
    this.options = options;
  }

  get title(): string {
    return titleOf(this.code);
  }
}

/** True when `error` is a problem, of one of `codes` if any are given. */
export function isProblem(error: unknown, ...codes: readonly string[]): error is Problem {
  return error instanceof Problem && (codes.length === 0 || codes.includes(error.code));
}

/** The problem of an input that breaks its schema. */
export function validationFailed(errors: readonly FieldError[]): Problem {
  return new Problem("validation-failed", "The request has members that are not valid.", { errors });
}
