import { type KitProblem, kitProblems, type ProblemType } from "./problem-types.ts";

/** Where in a request a fault was found, RFC 6901 pointer included. */
export interface FieldError {
  readonly in: "body" | "query" | "path" | "header";
  readonly pointer: string;
  readonly detail: string;
}

/** Failures of the environment: any operation may answer them without declaring them. */
export const ENVIRONMENT_PROBLEMS: ReadonlySet<string> = new Set<KitProblem>([
  "dependency-unavailable",
  "upstream-timeout",
  "overloaded",
  "storage-full",
  "draining",
]);

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

/**
 * A failure with a name: what crosses every boundary, in one process as between processes. A name has one status and one title
 * everywhere (RFC 9457, "problem details").
 */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly type: ProblemType;
  readonly options: ProblemOptions;

  /**
   * @param type the name of one of the kit's own; those of a contract are made by its `problem`
   * @param detail one sentence for the person who reads the answer
   */
  constructor(type: KitProblem | ProblemType, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.type = typeof type === "string" ? (kitProblems[type] ?? kitProblems.internal) : type;
    this.options = options;
  }

  get code(): string {
    return this.type.code;
  }

  get status(): number {
    return this.type.status;
  }

  get title(): string {
    return titleOf(this.code);
  }
}

/** True when `error` is a problem, of one of these of the kit's own if any are given. */
export function isProblem(error: unknown, ...codes: readonly KitProblem[]): error is Problem {
  return error instanceof Problem && (codes.length === 0 || codes.some((code) => code === error.code));
}

/** The problem of an input that breaks its schema. */
export function validationFailed(errors: readonly FieldError[]): Problem {
  return new Problem("validation-failed", "The request has members that are not valid.", { errors });
}
