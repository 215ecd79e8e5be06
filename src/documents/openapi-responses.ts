import { z } from "zod";
import { ENVIRONMENT_PROBLEMS, titleOf } from "../base/problem.ts";
import type { ProblemType, ProblemTypes } from "../base/problem-types.ts";
import { PROBLEM_TYPE } from "../call/problem-body.ts";
import type { Operation } from "../contract/contract.ts";
import type { JsonSchema } from "./json-schema.ts";

/** A part of an OpenAPI document. */
export type Described = Record<string, unknown>;

/** The body of every problem. */
export const problem = z
  .looseObject({
    type: z.string().meta({ format: "uri-reference", description: "/problems/<name>" }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().meta({ description: "The path that was asked" }),
    request_id: z.string(),
    errors: z
      .array(
        z.object({
          in: z.enum(["body", "query", "path", "header"]),
          pointer: z.string().meta({ format: "json-pointer" }),
          detail: z.string(),
        }),
      )
      .optional()
      .meta({ description: "Each fault of validation-failed" }),
  })
  .meta({ id: "Problem", description: "RFC 9457. Some problems have members of their own, such as `available`." });

const text: JsonSchema = { type: "string" };
const count: JsonSchema = { type: "integer", minimum: 0 };

/** All headers of answers, for `components.headers`. */
export const HEADERS: Described = {
  Location: { description: "The path of what was made", schema: { type: "string", format: "uri-reference" } },
  ETag: { description: "A strong tag of what is answered", schema: text },
  Link: { description: 'While there is more: the next page, rel="next" (RFC 8288)', schema: text },
  "Retry-After": { description: "Seconds after which a retry makes sense", schema: count },
  "WWW-Authenticate": { description: "How to sign in (RFC 6750)", schema: text },
  "X-Request-Id": { description: "The request's own id, if it was a sensible one, or a new one", schema: text },
  RateLimit: { description: "What is left of the limit, and for how long (IETF draft)", schema: text },
  "RateLimit-Policy": { description: "The limit that counts here (IETF draft)", schema: text },
  "X-RateLimit-Limit": { description: "Requests in a window", schema: count },
  "X-RateLimit-Remaining": { description: "Requests left in this window", schema: count },
  "X-RateLimit-Reset": { description: "When the window ends, in seconds since 1970", schema: count },
  "Preference-Applied": { description: "The preference that was honoured, with its value (RFC 7240)", schema: text },
  "Idempotency-Replayed": { description: "The answer is the kept one of the first request", schema: { const: "true" } },
};

/** The headers of every answer. */
export const ALWAYS = ["X-Request-Id"];
/** The headers of an answer that was counted. */
export const RATE = [
  "RateLimit",
  "RateLimit-Policy",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
];

/** The names of all problems that an operation may answer: its own, the kit's, and those of the environment. */
export function problemsOf(operation: Operation, takesBody: boolean): string[] {
  const { access, method, problems } = operation;
  const environment = [...ENVIRONMENT_PROBLEMS].filter((name) => method !== "GET" || name !== "storage-full");
  return [
    ...["malformed-request", "invalid-path", "request-timeout", "header-too-large", "payload-too-large"],
    ...["invalid-token", "validation-failed", "rate-limited", "internal", ...environment],
    ...(takesBody ? ["invalid-json", "unsupported-media-type"] : []),
    ...(access === "public" ? [] : ["unauthenticated"]),
    ...(access === "admin" ? ["forbidden"] : []),
    ...problems,
  ];
}

/** One answer per status, which lists the names that it may have. */
export function describeProblems(
  names: readonly string[],
  rateHeaders: readonly string[],
  types: ProblemTypes,
): [number, Described][] {
  const told = [...new Set(names)].sort().map((name) => {
    const type = types.get(name);
    if (type === undefined) throw new Error(`undeclared problem: ${name}`);
    return type;
  });
  return [...Map.groupBy(told, ({ status }) => status)].map(([status, list]) => {
    const type = { enum: list.map(({ code }) => `/problems/${code}`) };
    const schema = { $ref: "#/components/schemas/Problem", properties: { type, status: { const: status } } };
    const examples = Object.fromEntries(list.map((type) => [type.code, { value: exampleOfProblem(type) }]));
    const headers = refs([
      ...ALWAYS,
      ...rateHeaders,
      ...(status === 401 ? ["WWW-Authenticate"] : []),
      ...(status === 429 || status === 503 ? ["Retry-After"] : []),
    ]);
    return [
      status,
      {
        description: list.map(({ code }) => code).join(", "),
        headers,
        content: { [PROBLEM_TYPE]: { schema, examples } },
      },
    ];
  });
}

/** Puts answers that many operations share into one place, under the names of their problems. */
export function shareResponses(answers: readonly [number, Described][], shared: Record<string, Described>): Described {
  return Object.fromEntries(
    answers.map(([status, answer]) => {
      const name = String(answer.description).replaceAll(", ", ".");
      shared[name] = answer;
      return [status, { $ref: `#/components/responses/${name}` }];
    }),
  );
}

/** What may come of any route, before anything of its own is looked at. */
export const PROBLEMS_OF_ANY = [
  "malformed-request",
  "invalid-path",
  "request-timeout",
  "header-too-large",
  "internal",
  "dependency-unavailable",
] as const;

/** References to headers. */
export function refs(headers: readonly string[]): Described {
  return Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function exampleOfProblem({ code, status, meaning }: ProblemType): Described {
  return {
    type: `/problems/${code}`,
    title: titleOf(code),
    status,
    detail: meaning,
    instance: "/orders",
    request_id: "01981a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1c",
    ...(code === "validation-failed" ? { errors: [FIELD_ERROR] } : {}),
  };
}

const FIELD_ERROR = { in: "body", pointer: "/quantity", detail: "must be at least 1" };
