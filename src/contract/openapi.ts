import { z } from "zod";
import { Binding } from "./binding.ts";
import { type Contract, NO_CONTENT, type Operation } from "./contract.ts";
import { createSchemaBook, type JsonSchema, type SchemaBook } from "./json-schema.ts";
import { ENVIRONMENT_PROBLEMS, knownProblems } from "./problem.ts";
import { PROBLEM_TYPE } from "./problem-body.ts";

export interface ApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
}

/** A GET that belongs to no contract, such as `/livez`. */
export interface PlainRoute {
  readonly operationId: string;
  readonly summary: string;
  readonly output: z.ZodType;
  /** JSON's, if left out. */
  readonly mediaType?: string;
  /** The names of the problems that it may answer. */
  readonly problems?: readonly string[];
}

const JSON_TYPE = "application/json";

type Described = Record<string, unknown>;

/** An OpenAPI 3.1 document: https://spec.openapis.org/oas/v3.1.1 */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: ApiInfo;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: Readonly<Record<string, Described>>;
}

/**
 * Describes what is served, from the contracts alone: each operation under its path and aliases, with where its
 * members travel, and every problem that may come of it, the kit's own too.
 * @param routes what is served beside the contracts, by path
 * @throws Error when a problem is named that nobody declared
 */
export function describeApi(
  contracts: readonly Contract[],
  info: ApiInfo,
  routes: Readonly<Record<string, PlainRoute>> = {},
): OpenApiDocument {
  const book = createSchemaBook();
  const shared: Record<string, Described> = {};
  const paths: Record<string, Record<string, Described>> = {};
  const add = (path: string, method: string, described: Described) => {
    paths[path] = { ...paths[path], [method]: described };
  };
  book.describe(problem, "output");
  const operations = contracts.flatMap(({ name, operations }) =>
    Object.entries(operations).map(([id, operation]) => ({ tag: name, id, operation })),
  );
  for (const { operation } of operations) book.describe(operation.output, "output"); // all names, before any use
  for (const { tag, id, operation } of operations) {
    const method = operation.method.toLowerCase();
    const described = { tags: [tag], ...describeOperation(operation, book, shared) };
    add(operation.path, method, { operationId: id, ...described });
    for (const [index, alias] of (operation.aliases ?? []).entries()) {
      add(alias, method, { operationId: `${id}Alias${index || ""}`, ...described });
    }
  }
  for (const [path, route] of Object.entries(routes)) add(path, "get", describeRoute(route, book));
  return {
    openapi: "3.1.1",
    info,
    tags: [...contracts.map(({ name }) => ({ name })), ...(Object.keys(routes).length > 0 ? [{ name: OWN_TAG }] : [])],
    paths,
    components: { schemas: book.named, responses: shared, headers: HEADERS, securitySchemes: { bearer: BEARER } },
  };
}

/** What stands beside the contracts is the gateway's own. */
const OWN_TAG = "gateway";

const BEARER = { type: "http", scheme: "bearer", bearerFormat: "JWT" };

const problem = z
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

const HEADERS: Described = {
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
  "Idempotency-Replayed": { description: "The answer is the kept one of the first request", schema: { const: "true" } },
};

const ALWAYS = ["X-Request-Id"];
const RATE = ["RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];

function describeOperation(operation: Operation, book: SchemaBook, shared: Record<string, Described>): Described {
  const input = describeInput(operation, book);
  return {
    summary: operation.summary,
    security: operation.access === "public" ? [{}, { bearer: [] }] : [{ bearer: [] }],
    ...input,
    responses: {
      ...describeSuccess(operation, book),
      ...shareAnswers(describeProblems(problemsOf(operation, "requestBody" in input), RATE), shared),
    },
  };
}

function describeRoute(route: PlainRoute, book: SchemaBook): Described {
  const { operationId, summary, output, mediaType = JSON_TYPE, problems = [] } = route;
  const content = { [mediaType]: { schema: book.describe(output, "output") } };
  const answer = { description: "OK", headers: refs(ALWAYS), content };
  return {
    operationId,
    tags: [OWN_TAG],
    summary,
    security: [],
    responses: { 200: answer, ...Object.fromEntries(describeProblems(problems, [])) },
  };
}

function describeInput(operation: Operation, book: SchemaBook): Described {
  const { properties, required, ...rest } = book.describe(operation.input, "input");
  const schemas = properties as Record<string, JsonSchema>;
  const needed = new Set(required as string[] | undefined);
  const members = new Binding(operation).members;
  const parameters: Described[] = [];
  const inBody: string[] = [];
  for (const { name, in: where, header } of members) {
    if (where === "body") inBody.push(name);
    else if (header?.preference !== undefined) parameters.push(describePreference(header.name, header.preference));
    else {
      const schema = schemas[name];
      parameters.push({ name: header?.name ?? name, in: where, required: needed.has(name), schema });
    }
  }
  if (operation.method === "GET" && operation.etag !== undefined) {
    parameters.push({ name: "If-None-Match", in: "header", required: false, schema: text });
  }
  const body = {
    ...rest,
    properties: Object.fromEntries(inBody.map((name) => [name, schemas[name]])),
    required: inBody.filter((name) => needed.has(name)),
  };
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(inBody.length > 0 ? { requestBody: { required: true, content: json(body) } } : {}),
  };
}

function describePreference(name: string, preference: string): Described {
  return { name, in: "header", required: false, schema: text, description: `${preference}=N (RFC 7240)` };
}

function describeSuccess(operation: Operation, book: SchemaBook): Described {
  const { location, etag, paged, outputHeaders = {}, status = 200 } = operation;
  const { properties, required, ...rest } = book.describe(operation.output, "output");
  const isInBody = (name: string) => !(name in outputHeaders);
  const schema =
    properties === undefined
      ? rest
      : book.shorten({
          ...rest,
          properties: Object.fromEntries(Object.entries(properties as JsonSchema).filter(([name]) => isInBody(name))),
          required: ((required ?? []) as string[]).filter(isInBody),
        });
  const headers = refs([
    ...ALWAYS,
    ...RATE,
    ...(location === undefined ? [] : ["Location"]),
    ...(etag === undefined ? [] : ["ETag"]),
    ...(paged === true ? ["Link"] : []),
    ...Object.values(outputHeaders),
  ]);
  if (status === NO_CONTENT) return { [status]: { description: "No content", headers } };
  return {
    [status]: { description: status === 201 ? "Created" : "OK", headers, content: json(schema) },
    ...(operation.method === "GET" && etag !== undefined ? { 304: { description: "Not modified", headers } } : {}),
  };
}

/** The names of all problems that an operation may answer: its own, the kit's, and those of the environment. */
function problemsOf(operation: Operation, takesBody: boolean): string[] {
  const { access, method, errors } = operation;
  const environment = [...ENVIRONMENT_PROBLEMS].filter((name) => method !== "GET" || name !== "storage-full");
  return [
    ...["malformed-request", "invalid-path", "request-timeout", "header-too-large", "payload-too-large"],
    ...["invalid-token", "validation-failed", "rate-limited", "internal", ...environment],
    ...(takesBody ? ["invalid-json", "unsupported-media-type"] : []),
    ...(access === "public" ? [] : ["unauthenticated"]),
    ...(access === "admin" ? ["forbidden"] : []),
    ...errors,
  ];
}

/** One answer per status, which lists the names that it may have. */
function describeProblems(names: readonly string[], rateHeaders: readonly string[]): [number, Described][] {
  const known = knownProblems();
  const byStatus = Map.groupBy([...new Set(names)].sort(), (name) => {
    const status = known.get(name)?.status;
    if (status === undefined) throw new Error(`undeclared problem: ${name}`);
    return status;
  });
  return [...byStatus].map(([status, list]) => {
    const type = { enum: list.map((name) => `/problems/${name}`) };
    const schema = { $ref: "#/components/schemas/Problem", properties: { type, status: { const: status } } };
    const headers = refs([
      ...ALWAYS,
      ...rateHeaders,
      ...(status === 401 ? ["WWW-Authenticate"] : []),
      ...(status === 429 || status === 503 ? ["Retry-After"] : []),
    ]);
    return [status, { description: list.join(", "), headers, content: { [PROBLEM_TYPE]: { schema } } }];
  });
}

/** Puts answers that many operations share into one place, under the names of their problems. */
function shareAnswers(answers: readonly [number, Described][], shared: Record<string, Described>): Described {
  return Object.fromEntries(
    answers.map(([status, answer]) => {
      const name = String(answer.description).replaceAll(", ", ".");
      shared[name] = answer;
      return [status, { $ref: `#/components/responses/${name}` }];
    }),
  );
}

function json(schema: JsonSchema): Described {
  return { [JSON_TYPE]: { schema } };
}

function refs(headers: readonly string[]): Described {
  return Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
