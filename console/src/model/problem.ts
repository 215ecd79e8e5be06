import { isRecord } from "./json.ts";

/** What an answer says of a failure (RFC 9457), as far as a person wants to know it. */
export interface SeenProblem {
  /** `dependency-unavailable`: the end of its type. */
  readonly name: string;
  readonly detail: string;
}

/** Reads the body of a problem; undefined where it is none of this shop's. */
export function readProblem(body: unknown): SeenProblem | undefined {
  if (!isRecord(body) || typeof body.type !== "string" || problemPage(body.type) === undefined) return undefined;
  return {
    name: body.type.slice(PREFIX.length),
    detail: typeof body.detail === "string" ? body.detail : "",
  };
}

const PREFIX = "/problems/";

/** The address of the page that explains a type, or undefined where that is no page of this gateway. */
export function problemPage(type: unknown): string | undefined {
  return typeof type === "string" && /^\/problems\/[a-z][a-z-]*$/.test(type) ? type : undefined;
}

/** The address of the page of what a step ended with, where that is the name of a problem. */
export function pageOfStatus(status: string): string | undefined {
  return OTHER_WORDS.has(status) ? undefined : problemPage(PREFIX + status);
}

/** Words of spans and of this page that are no problem's name. */
const OTHER_WORDS: ReadonlySet<string> = new Set(["ok", "failed", "rolled-back", "received", "no-answer"]);
