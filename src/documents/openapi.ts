import type { z } from "zod";
import { type KitProblem, type ProblemTypes, problemTypes } from "../base/problem-types.ts";
import { Binding } from "../call/binding.ts";
import { type Contract, NO_CONTENT, type Operation } from "../contract/contract.ts";
import { exampleOf } from "./example.ts";
import { createSchemaRegistry, type JsonSchema, type SchemaRegistry } from "./json-schema.ts";
import {
  ALWAYS,
  type Described,
  describeProblems,
  HEADERS,
  PROBLEMS_OF_ANY,
  problem,
  problemsOf,
  RATE,
  refs,
  shareResponses,
} from "./openapi-responses.ts";

export interface ApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
}

/** A GET that belongs to no contract, such as `/livez`; its path may have `{names}`. */
export interface PlainRoute {
  readonly operationId: string;
  readonly summary: string;
  /** What it answers, by media type. */
  readonly answers: Readonly<Record<string, z.ZodType>>;
  /** The names of the problems that it may answer. */
  readonly problems?: readonly KitProblem[];
}

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
  const registry = createSchemaRegistry();
  const shared: Record<string, Described> = {};
  const paths: Record<string, Record<string, Described>> = {};
  const add = (path: string, method: string, described: Described) => {
    paths[path] = { ...paths[path], [method]: described };
  };
  const types = problemTypes(...contracts.map(({ problems }) => problems));
  registry.describe(problem, "output");
  const operations = contracts.flatMap(({ name, operations }) =>
    Object.entries(operations).map(([id, operation]) => ({ tag: name, id, operation })),
  );
  for (const { operation } of operations) registry.describe(operation.output, "output"); // all names, before any use
  for (const { tag, id, operation } of operations) {
    const method = operation.method.toLowerCase();
    const described = { tags: [tag], ...describeOperation(operation, registry, shared, types) };
    add(operation.path, method, { operationId: id, ...described });
    for (const [index, alias] of (operation.aliases ?? []).entries()) {
      add(alias, method, { operationId: `${id}Alias${index || ""}`, ...described });
    }
  }
  for (const [path, route] of Object.entries(routes))
    add(path, "get", describeRoute(path, route, registry, shared, types));
  return {
    openapi: "3.1.1",
    info,
    tags: [...contracts.map(({ name }) => ({ name })), ...(Object.keys(routes).length > 0 ? [{ name: OWN_TAG }] : [])],
    paths,
    components: { schemas: registry.named, responses: shared, headers: HEADERS, securitySchemes: { bearer: BEARER } },
  };
}

/** What stands beside the contracts is the gateway's own. */
const OWN_TAG = "gateway";

const BEARER = { type: "http", scheme: "bearer", bearerFormat: "JWT" };

function describeOperation(
  operation: Operation,
  registry: SchemaRegistry,
  shared: Record<string, Described>,
  types: ProblemTypes,
): Described {
  const input = describeInput(operation, registry);
  return {
    summary: operation.summary,
    security: operation.access === "public" ? [] : [{ bearer: [] }],
    ...input,
    responses: {
      ...describeSuccess(operation, registry),
      ...shareResponses(describeProblems(problemsOf(operation, "requestBody" in input), RATE, types), shared),
    },
  };
}

function describeRoute(
  path: string,
  { operationId, summary, answers, problems = [] }: PlainRoute,
  registry: SchemaRegistry,
  shared: Record<string, Described>,
  types: ProblemTypes,
): Described {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    return { name, in: "path", required: true, schema: { type: "string" } };
  });
  const content = Object.entries(answers).map(([type, schema]) => [
    type,
    { schema: registry.describe(schema, "output") },
  ]);
  const answer = { description: "OK", headers: refs(ALWAYS), content: Object.fromEntries(content) };
  return {
    operationId,
    tags: [OWN_TAG],
    summary,
    security: [],
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: {
      200: answer,
      ...shareResponses(describeProblems([...PROBLEMS_OF_ANY, ...problems], [], types), shared),
    },
  };
}

function describeInput(operation: Operation, registry: SchemaRegistry): Described {
  const { properties, required, ...rest } = registry.describe(operation.input, "input");
  const schemas = properties as Record<string, JsonSchema>;
  const needed = new Set(required as string[] | undefined);
  const members = Binding.of(operation).members;
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
    parameters.push({ name: "If-None-Match", in: "header", required: false, schema: { type: "string" } });
  }
  const body = {
    ...rest,
    properties: Object.fromEntries(inBody.map((name) => [name, schemas[name]])),
    required: inBody.filter((name) => needed.has(name)),
  };
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(inBody.length > 0 ? { requestBody: { required: true, content: json(body, registry) } } : {}),
  };
}

function describePreference(name: string, preference: string): Described {
  return { name, in: "header", required: false, schema: { type: "string" }, description: `${preference}=N (RFC 7240)` };
}

function describeSuccess(operation: Operation, registry: SchemaRegistry): Described {
  const { location, etag, paged, inputHeaders = {}, outputHeaders = {}, status = 200 } = operation;
  const hasPreferences = Object.values(inputHeaders).some(({ preference }) => preference !== undefined);
  const { properties, required, ...rest } = registry.describe(operation.output, "output");
  const isInBody = (name: string) => !(name in outputHeaders);
  const schema =
    properties === undefined
      ? rest
      : registry.shorten({
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
    ...(hasPreferences ? ["Preference-Applied"] : []),
    ...Object.values(outputHeaders),
  ]);
  if (status === NO_CONTENT) return { [status]: { description: "No content", headers } };
  return {
    [status]: { description: status === 201 ? "Created" : "OK", headers, content: json(schema, registry) },
    ...(operation.method === "GET" && etag !== undefined ? { 304: { description: "Not modified", headers } } : {}),
  };
}

function json(schema: JsonSchema, { named }: SchemaRegistry): Described {
  return { "application/json": { schema, example: exampleOf(schema, named) } };
}
