import { AssertionError } from "chai";
import type { Answer } from "../support/api.ts";
import type { RawAnswer } from "./raw.ts";

/** The status and the name of a problem, as in `422 validation-failed`. */
export type Expected = `${number} ${string}`;

/** Fails unless the answer is this problem, whole: RFC 9457 and what goes with its status. */
export function assertProblem(what: string, answer: Answer | RawAnswer, expected: Expected): void {
  const body = problemOf(answer);
  const found = `${answer.status} ${String(body.type).replace("/problems/", "")}`;
  if (found !== expected) fail(what, expected, answer);
  const whole = ["title", "detail", "instance", "request_id"].every((member) => typeof body[member] === "string");
  if (!whole || body.status !== answer.status) fail(what, `${expected}, whole`, answer);
  if (answer.headers["content-type"] !== "application/problem+json") fail(what, "application/problem+json", answer);
  for (const header of companions(answer.status)) {
    if (answer.headers[header] === undefined) fail(what, `${expected} with ${header}`, answer);
  }
  if (/node_modules|\.ts:|SQLITE|at \w+ \(/.test(JSON.stringify(body))) fail(what, "nothing of the inside", answer);
}

/** Fails unless the problem names these places, such as `body /quantity`. */
export function assertFaults(what: string, answer: Answer, ...places: readonly string[]): void {
  assertProblem(what, answer, "422 validation-failed");
  const errors = (problemOf(answer).errors ?? []) as { in: string; pointer: string }[];
  const found = errors.map((error) => `${error.in} ${error.pointer}`);
  for (const place of places) if (!found.includes(place)) fail(what, `a fault at ${place}`, answer);
}

export function assertClosed(what: string, answer: RawAnswer): void {
  if (!answer.closed) fail(what, "a closed connection", answer);
}

/** The same answer but for what is drawn for each request. */
export function assertSameBytes(what: string, one: Answer, other: Answer): void {
  const plain = (answer: Answer) => JSON.stringify({ ...problemOf(answer), request_id: "", instance: "" });
  if (one.status !== other.status || plain(one) !== plain(other)) fail(what, plain(one), other);
}

export function fail(what: string, expected: string, answer: Answer | RawAnswer): never {
  const { status, headers, body } = answer;
  const shown = JSON.stringify({ status, headers, body }).slice(0, 800);
  throw new AssertionError(`${what}: expected ${expected}, got ${shown}`);
}

function problemOf({ body }: Answer | RawAnswer): Record<string, unknown> {
  if (typeof body !== "string") return (body ?? {}) as Record<string, unknown>;
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

/** The headers that belong to a problem of this status. */
function companions(status: number): readonly string[] {
  if (status === 401) return ["x-request-id", "www-authenticate"];
  if (status === 405) return ["x-request-id", "allow"];
  if (status === 429 || status === 503) return ["x-request-id", "retry-after"];
  return ["x-request-id"];
}
