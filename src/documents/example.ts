import type { JsonSchema } from "./json-schema.ts";

/**
 * An example of what a schema describes: what its own `examples` say, else what its members' do, else the simplest
 * value of its type. An optional member is there if it has an example of its own, or if all are optional.
 * @param named the schemas that `$ref`s name
 */
export function exampleOf(schema: JsonSchema, named: Readonly<Record<string, JsonSchema>>): unknown {
  const { $ref, examples, const: only, enum: values, anyOf, default: preset } = schema;
  if (Array.isArray(examples)) return examples[0];
  if (typeof $ref === "string") return exampleOf(named[$ref.split("/").at(-1) ?? ""] ?? {}, named);
  if (only !== undefined) return only;
  if (Array.isArray(values)) return values[0];
  if (preset !== undefined) return preset;
  if (Array.isArray(anyOf)) return anyOf.some(isNull) ? null : exampleOf(anyOf[0], named);
  return simplest(schema, named);
}

function simplest(schema: JsonSchema, named: Readonly<Record<string, JsonSchema>>): unknown {
  switch (schema.type) {
    case "object":
      return exampleOfMembers(schema, named);
    case "array":
      return [exampleOf((schema.items ?? {}) as JsonSchema, named)];
    case "integer":
    case "number":
      return schema.minimum ?? 0;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return "…";
  }
}

function exampleOfMembers(
  { properties = {}, required = [] }: JsonSchema,
  named: Readonly<Record<string, JsonSchema>>,
): Record<string, unknown> {
  const needed = new Set(required as string[]);
  const members = Object.entries(properties as Record<string, JsonSchema>);
  const shown = members.filter(([name, schema]) => needed.size === 0 || needed.has(name) || "examples" in schema);
  return Object.fromEntries(shown.map(([name, schema]) => [name, exampleOf(schema, named)]));
}

function isNull(schema: JsonSchema): boolean {
  return schema.type === "null";
}
