import type { Operation } from "../../src/contract/contract.ts";
import { createSchemaRegistry, type JsonSchema } from "../../src/documents/json-schema.ts";

/** Values for members by name, where not just any will do. */
export type KnownValues = Readonly<Record<string, unknown>>;

/**
 * Makes an input that an operation should take: its required members and the known ones of its optional members.
 * @throws Error that names the member for which no value can be made
 */
export function sampleInput(name: string, operation: Operation, known: KnownValues): Record<string, unknown> {
  const book = createSchemaRegistry();
  const { properties = {}, required = [], oneOf = [] } = book.describe(operation.input, "input") as ObjectSchema;
  const needed = new Set([...required, ...(oneOf[0]?.required ?? [])]);
  const optional = Object.keys(properties).filter((member) => OPTIONAL_KNOWN.has(member) && member in known);
  const members = [...new Set([...needed, ...optional])];
  return Object.fromEntries(
    members.map((member) => [member, sampleOf(`${name}.${member}`, member, properties[member] ?? {}, known)]),
  );
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly { readonly required?: readonly string[] }[];
}

/** Optional members that say whose something is. */
const OPTIONAL_KNOWN = new Set(["user_id"]);

const FORMATS: Readonly<Record<string, () => string>> = {
  uuid: () => "01890000-0000-7000-8000-000000000000",
  email: () => `sample-${Math.random().toString(36).slice(2)}@example.org`,
  password: () => "a password that nobody else has",
  "date-time": () => new Date().toISOString(),
};

function sampleOf(what: string, member: string, schema: JsonSchema, known: KnownValues): unknown {
  if (member in known) return known[member];
  const { type, format, minimum = 1, minLength = 1, minItems = 1, items } = schema as Constraints;
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if (type === "integer" || type === "number") return Math.max(1, minimum);
  if (type === "boolean") return true;
  if (type === "string" && format !== undefined && FORMATS[format] !== undefined) return FORMATS[format]();
  if (type === "string" && format === undefined && schema.pattern === undefined) return "sample".padEnd(minLength, "s");
  if (type === "array" && items !== undefined) {
    return Array.from({ length: minItems }, () => sampleOf(`${what}[]`, "", items, known));
  }
  if (type === "object") {
    const { properties = {}, required = [] } = schema as ObjectSchema;
    return Object.fromEntries(
      required.map((name) => [name, sampleOf(`${what}.${name}`, name, properties[name] ?? {}, known)]),
    );
  }
  throw new Error(
    `no sample can be made of ${what}, whose schema is ${JSON.stringify(schema)}: teach test/hardening/sample.ts`,
  );
}

interface Constraints {
  readonly type?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly items?: JsonSchema;
}
