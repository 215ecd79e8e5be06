import { Validator } from "@seriousme/openapi-schema-validator";
import { expect } from "chai";
import { z } from "zod";
import { problemTypes } from "../../src/base/problem-types.ts";
import { defineContract, type Operation, operation } from "../../src/contract/contract.ts";
import { describeApi } from "../../src/documents/openapi.ts";
import { ownRoutes } from "../../src/gateway/own-routes.ts";
import { publicContracts } from "../../src/runtime/modules.ts";

interface Described {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: { readonly "application/json": Content } };
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Answer {
  readonly description: string;
  readonly headers: object;
  readonly content: Readonly<Record<string, Content>>;
}

interface Content {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: object }>>;
}

type Schema = { readonly properties: Record<string, { readonly enum?: string[] }>; readonly [key: string]: unknown };

const contracts = publicContracts;
const SOME_ID = "0193f0a0-0000-7000-8000-000000000000";
const info = { title: "Quartet", version: "1.0.0" };
const document = describeApi(contracts, info, ownRoutes);
const types = problemTypes(...contracts.map(({ problems }) => problems));
const all = contracts.flatMap(({ operations }) => Object.entries(operations));

describe("OpenAPI document", () => {
  it("is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(asSpec(document));
    expect(result.errors ?? []).to.deep.equal([]);
    expect(result.valid).to.equal(true);
    expect(document.openapi).to.match(/^3\.1\./);
  });

  it("is found wanting by the validator when it is broken", async () => {
    const broken = { ...document, paths: { "/orders": { get: { responses: 1 } } } };
    expect((await new Validator().validate(asSpec(broken))).valid).to.equal(false);
  });

  it("has every operation under its path and aliases, and the gateway's own routes", () => {
    const declared = all.flatMap(([, { method, path, aliases = [] }]) =>
      [path, ...aliases].map((each) => `${method.toLowerCase()} ${each}`),
    );
    const own = Object.keys(ownRoutes).map((path) => `get ${path}`);
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    expect(described).to.have.members([...declared, ...own]);
  });

  it("gives every operation an id of its own", () => {
    const ids = Object.values(document.paths).flatMap((item) => Object.values(item).map((each) => each.operationId));
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("refers only to what it has", () => {
    const places = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)];
    expect(places).not.to.have.length(0);
    for (const [, kind = "", name = ""] of places) expect(document.components[kind]).to.have.property(name);
  });

  for (const [name, operation] of all) {
    it(`tells every problem of ${name} under its status`, () => {
      const { responses } = describedAt(operation.method, operation.path);
      for (const problem of problemsOf(operation)) {
        const answer = responses[types.get(problem)?.status ?? 0];
        expect(answer?.content["application/problem+json"]?.schema.properties.type?.enum, problem).to.include(
          `/problems/${problem}`,
        );
        expect(answer?.description).to.include(problem);
      }
      expect("401" in responses && responses[401]?.description.includes("unauthenticated")).to.equal(
        operation.access !== "public" || operation.problems.includes("unauthenticated"),
      );
      expect("507" in responses).to.equal(operation.method !== "GET");
    });
  }

  it("asks for a token where one is needed, and allows it elsewhere", () => {
    expect(describedAt("GET", "/users/me").security).to.deep.equal([{ bearer: [] }]);
    expect(describedAt("GET", "/products").security).to.deep.equal([]);
  });

  it("puts members where they travel", () => {
    const place = describedAt("POST", "/orders/create");
    expect(place.parameters?.map((each) => [each.in, each.name])).to.deep.equal([["header", "Idempotency-Key"]]);
    const body = place.requestBody?.content["application/json"].schema;
    expect(Object.keys(body?.properties ?? {})).to.have.members(["user_id", "product_id", "quantity", "items"]);
    expect(body?.additionalProperties).to.equal(false);
    const get = describedAt("GET", "/orders/{id}");
    expect(get.parameters?.map((each) => [each.in, each.name, each.required])).to.deep.equal([
      ["path", "id", true],
      ["header", "Prefer", false],
    ]);
    expect(get).not.to.have.property("requestBody");
    const list = describedAt("GET", "/orders").parameters?.map((each) => `${each.in} ${each.name}`);
    expect(list).to.have.members(["query limit", "query cursor", "query status", "query user_id"]);
  });

  it("tells the headers of an answer, and leaves them out of the body", () => {
    const { responses } = describedAt("POST", "/products");
    const made = responses[201];
    expect(made?.headers).to.include.keys("Location", "ETag", "Idempotency-Replayed", "X-Request-Id", "RateLimit");
    expect(made?.content["application/json"]?.schema).to.deep.equal({ $ref: "#/components/schemas/Product" });
    expect(responses[429]?.headers).to.include.keys("Retry-After");
    expect(responses[401]?.headers).to.include.keys("WWW-Authenticate");
    expect(describedAt("GET", "/products").responses[200]?.headers).to.include.keys("Link");
    expect(describedAt("GET", "/products/{id}").responses).to.include.keys("304");
  });

  for (const [name, operation] of all) {
    it(`has examples of ${name} that its contract takes`, () => {
      const described = describedAt(operation.method, operation.path);
      const sent = described.requestBody?.content["application/json"];
      const inPath = Object.fromEntries([...operation.path.matchAll(/\{(\w+)\}/g)].map(([, each]) => [each, SOME_ID]));
      if (sent !== undefined) {
        expect(operation.input.safeParse({ ...inPath, ...(sent.example as object) }).error).to.equal(undefined);
      }
      const answered = described.responses[operation.status ?? 200]?.content?.["application/json"]?.example;
      if (operation.status !== 204) expect(operation.output.parse(answered)).to.deep.equal(answered);
    });
  }

  it("shows each problem as it would be answered, with what it means", () => {
    const { responses } = describedAt("POST", "/orders");
    const conflict = responses[409]?.content["application/problem+json"];
    expect(Object.keys(conflict?.examples ?? {})).to.deep.equal(["insufficient-stock", "request-in-progress"]);
    expect(conflict?.examples?.["insufficient-stock"]?.value).to.include({
      type: "/problems/insufficient-stock",
      title: "Insufficient stock",
      status: 409,
    });
  });

  it("is not made when an operation names a problem that nobody declared", () => {
    const strange = defineContract({
      name: "strange",
      problems: {},
      // @ts-expect-error: it does not compile either
      operations: {
        ask: operation({
          method: "GET",
          path: "/strange",
          access: "public",
          summary: "Ask",
          input: z.strictObject({}),
          output: z.object({}),
          problems: ["never-declared"],
        }),
      },
      events: {},
    });
    expect(() => describeApi([strange], info)).to.throw("never-declared");
  });
});

/** An operation with its references to shared answers resolved. */
function describedAt(method: string, path: string): Described {
  const described = document.paths[path]?.[method.toLowerCase()];
  return JSON.parse(JSON.stringify(described), (_, value) => {
    const name = /^#\/components\/responses\/(.+)$/.exec(value?.$ref)?.[1];
    return name === undefined ? value : document.components.responses?.[name];
  });
}

/** A copy: the validator resolves references in place. */
function asSpec(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value));
}

/** The table of the API, told again: what may come of an operation beside what its contract names. */
function problemsOf({ access, method, input, path, inputHeaders = {}, problems }: Operation): string[] {
  const inBody = Object.keys(input.shape).filter((name) => !path.includes(`{${name}}`) && !(name in inputHeaders));
  const takesBody = method !== "GET" && method !== "DELETE" && inBody.length > 0;
  return [
    ...["malformed-request", "invalid-path", "invalid-token", "request-timeout", "payload-too-large"],
    ...["validation-failed", "rate-limited", "header-too-large", "internal"],
    ...["dependency-unavailable", "overloaded", "draining", "upstream-timeout"],
    ...(takesBody ? ["invalid-json", "unsupported-media-type"] : []),
    ...(access === "public" ? [] : ["unauthenticated"]),
    ...(access === "admin" ? ["forbidden"] : []),
    ...(method === "GET" ? [] : ["storage-full"]),
    ...problems,
  ];
}
