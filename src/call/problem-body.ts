import { z } from "zod";
import { Problem } from "../base/problem.ts";
import type { ProblemTypes } from "../base/problem-types.ts";

/** The media type of RFC 9457. */
export const PROBLEM_TYPE = "application/problem+json";

const AUTHENTICATE: Readonly<Record<string, string>> = {
  unauthenticated: 'Bearer realm="quartet"',
  "invalid-token": 'Bearer realm="quartet", error="invalid_token"',
  "invalid-credentials": 'Bearer realm="quartet"',
};

const wireProblem = z.looseObject({
  type: z.string().startsWith("/problems/"),
  detail: z.string(),
  errors: z
    .array(z.object({ in: z.enum(["body", "query", "path", "header"]), pointer: z.string(), detail: z.string() }))
    .optional(),
});

/**
 * The body of a problem.
 * @param instance the path that was asked
 */
export function problemBody(problem: Problem, instance: string, requestId: string): Record<string, unknown> {
  const { errors, extensions } = problem.options;
  return {
    type: `/problems/${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    instance,
    request_id: requestId,
    ...extensions,
    ...(errors === undefined ? {} : { errors }),
  };
}

/** The headers that belong to a problem: who may try again, when, and how. */
export function problemHeaders(problem: Problem): Record<string, string> {
  const { headers, retryAfterSeconds = problem.status === 503 ? 1 : undefined } = problem.options;
  const authenticate = AUTHENTICATE[problem.code];
  return {
    ...headers,
    ...(authenticate === undefined ? {} : { "WWW-Authenticate": authenticate }),
    ...(retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) }),
  };
}

/**
 * Reads a problem that a neighbour answered, the inverse of `problemBody` and `problemHeaders`.
 * @param types what it can be
 * @returns undefined when the body is not a problem, or one of a name that a newer neighbour declares and this code does not
 */
export function readProblem(
  body: unknown,
  header: (name: string) => string | null | undefined,
  types: ProblemTypes,
): Problem | undefined {
  const parsed = wireProblem.safeParse(body);
  if (!parsed.success) return undefined;
  const {
    type: path,
    title: _t,
    status: _s,
    detail,
    instance: _i,
    request_id: _r,
    errors,
    ...extensions
  } = parsed.data;
  const type = types.get(path.slice("/problems/".length));
  if (type === undefined) return undefined;
  const retryAfter = Number(header("retry-after"));
  return new Problem(type, detail, {
    ...(errors === undefined ? {} : { errors }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
    ...(retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {}),
  });
}
