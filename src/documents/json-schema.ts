import { isDeepStrictEqual } from "node:util";
import { z } from "zod";

export type JsonSchema = Record<string, unknown>;

/** Turns zod schemas into JSON Schema (2020-12, as OpenAPI 3.1 has it); what has an `id` in its meta is described once. */
export interface SchemaRegistry {
  /** The schemas that have a name, for `components.schemas`. Filled by `describe`. */
  readonly named: Readonly<Record<string, JsonSchema>>;
  /** What is to be sent (`input`, before defaults and transforms) or is answered (`output`). */
  describe(schema: z.ZodType, io: "input" | "output"): JsonSchema;
  /** A reference where a named schema says the same, else the schema itself. */
  shorten(schema: JsonSchema): JsonSchema;
}

const PLACE = "#/components/schemas/";

export function createSchemaRegistry(): SchemaRegistry {
  const named: Record<string, JsonSchema> = {};
  return {
    named,
    describe(schema, io) {
      const converted = z.toJSONSchema(schema, { io, unrepresentable: "any", override: simplify });
      const { $schema: _, $defs = {}, ...described } = movePlaces(converted);
      Object.assign(named, $defs);
      return described;
    },
    shorten(schema) {
      const name = Object.keys(named).find((key) => isDeepStrictEqual(named[key], schema));
      return name === undefined ? schema : { $ref: PLACE + name };
    },
  };
}

/** Takes out what says nothing to a reader: the regular expression of a format, and the bounds of a safe integer. */
function simplify({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

function movePlaces(schema: z.core.JSONSchema.BaseSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    key === "$ref" && typeof value === "string" ? value.replace("#/$defs/", PLACE) : value,
  );
}
