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

/** What a kind of failure means to a caller; a contract gives each of its own names a kind. */
export type ProblemKind =
  | "bad-request"
  | "unauthenticated"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "precondition"
  | "unprocessable"
  | "too-many"
  | "unavailable";

const STATUS_OF_KIND: Readonly<Record<ProblemKind, number>> = {
  "bad-request": 400,
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  conflict: 409,
  precondition: 412,
  unprocessable: 422,
  "too-many": 429,
  unavailable: 503,
};

/** The names that belong to the kit and the gateway; contracts add their own with `declareProblems`. */
const statuses = new Map<string, number>([
  ["malformed-request", 400],
  ["invalid-json", 400],
  ["invalid-path", 400],
  ["unauthenticated", 401],
  ["invalid-token", 401],
  ["forbidden", 403],
  ["not-found", 404],
  ["method-not-allowed", 405],
  ["request-timeout", 408],
  ["request-in-progress", 409],
  ["precondition-failed", 412],
  ["payload-too-large", 413],
  ["unsupported-media-type", 415],
  ["validation-failed", 422],
  ["idempotency-key-reused", 422],
  ["rate-limited", 429],
  ["header-too-large", 431],
  ["internal", 500],
  ["dependency-unavailable", 503],
  ["draining", 503],
  ["overloaded", 503],
  ["upstream-timeout", 504],
  ["storage-full", 507],
]);

/** Failures of the environment: any operation may answer them without declaring them. */
export const ENVIRONMENT_PROBLEMS: ReadonlySet<string> = new Set([
  "dependency-unavailable",
  "upstream-timeout",
  "overloaded",
  "storage-full",
  "draining",
]);

/**
 * Makes a contract's own problem names known, with the status of their kind.
 * @throws Error when the name is known already with another status: a name means one thing.
 */
export function declareProblems(kinds: Readonly<Record<string, ProblemKind>>): void {
  for (const [name, kind] of Object.entries(kinds)) {
    const status = STATUS_OF_KIND[kind];
    const known = statuses.get(name);
    if (known !== undefined && known !== status) throw new Error(`problem ${name} is ${known}, not ${status}`);
    statuses.set(name, status);
  }
}

/** All names known now, with their statuses. */
export function knownProblems(): ReadonlyMap<string, number> {
  return statuses;
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
    const status = statuses.get(code);
    if (status === undefined) throw new Error(`undeclared problem: ${code}`);
    this.code = code;
    this.status = status;
    this.options = options;
  }

  /** `Insufficient stock` from `insufficient-stock`: the title of RFC 9457. */
  get title(): string {
    const words = this.code.replaceAll("-", " ");
    return words.charAt(0).toUpperCase() + words.slice(1);
  }
}

/** True when `error` is a problem, of one of `codes` if any are given. */
export function isProblem(error: unknown, ...codes: readonly string[]): error is Problem {
  return error instanceof Problem && (codes.length === 0 || codes.includes(error.code));
}
