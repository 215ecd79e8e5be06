import { isDeepStrictEqual } from "node:util";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What is sent must go on being taken; what is answered must go on being what was promised. */
export type Direction = "sent" | "answered";

/**
 * Finds what breaks clients between two schemas, whose references are resolved. A new member of an answer breaks nobody:
 * clients pass over what they do not know.
 * @param at where the schemas stand, for the person who reads
 * @returns a line for each change
 */
export function schemaBreaks(before: JsonSchema, after: JsonSchema, direction: Direction, at: string): string[] {
  const [inner, outer] = direction === "sent" ? [before, after] : [after, before];
  const broken = Object.keys(RULES).filter((word) => !RULES[word]?.(read(inner, word), read(outer, word)));
  return [
    ...broken.map((word) => `${at}: ${word} was ${show(read(before, word))}, is ${show(read(after, word))}`),
    ...variantBreaks(before, after, direction, at),
    ...memberBreaks(before, after, direction, at),
    ...(isSchema(before.items) && isSchema(after.items)
      ? schemaBreaks(before.items, after.items, direction, `${at}/*`)
      : []),
  ];
}

/** Whether all that one keyword allows is allowed by the other; undefined is a keyword that is not there. */
type Rule = (inner: unknown, outer: unknown) => boolean;

const within: Rule = (inner, outer) =>
  outer === undefined || (inner !== undefined && listOf(inner).every((each) => listOf(outer).includes(each)));
const atLeast: Rule = (inner, outer) => outer === undefined || (inner !== undefined && Number(inner) >= Number(outer));
const atMost: Rule = (inner, outer) => outer === undefined || (inner !== undefined && Number(inner) <= Number(outer));
const same: Rule = (inner, outer) => outer === undefined || isDeepStrictEqual(inner, outer);

const RULES: Readonly<Record<string, Rule>> = {
  type: (inner, outer) => within(inner, listOf(outer).includes("number") ? [...listOf(outer), "integer"] : outer),
  enum: within,
  required: (inner, outer) => listOf(outer).every((name) => listOf(inner).includes(name)),
  minimum: atLeast,
  minLength: atLeast,
  minItems: atLeast,
  maximum: atMost,
  maxLength: atMost,
  maxItems: atMost,
  pattern: same,
  format: same,
};

/** A constant is an enum of one. */
function read(schema: JsonSchema, keyword: string): unknown {
  return keyword === "enum" && schema.const !== undefined ? [schema.const] : schema[keyword];
}

function memberBreaks(before: JsonSchema, after: JsonSchema, direction: Direction, at: string): string[] {
  const [old, now] = [membersOf(before), membersOf(after)];
  return Object.entries(old).flatMap(([name, schema]) => {
    const next = now[name];
    if (next !== undefined) return schemaBreaks(schema, next, direction, `${at}/${name}`);
    if (direction === "answered") return [`${at}/${name}: is not answered any more`];
    return after.additionalProperties === false ? [`${at}/${name}: is not taken any more`] : [];
  });
}

/** Each alternative that is in use must have one that stands for it. */
function variantBreaks(before: JsonSchema, after: JsonSchema, direction: Direction, at: string): string[] {
  return ["anyOf", "oneOf"].flatMap((keyword) => {
    if (isDeepStrictEqual(before[keyword], after[keyword])) return [];
    const [old, now] = [variantsOf(before, keyword), variantsOf(after, keyword)];
    const isMet = (inner: JsonSchema, outers: readonly JsonSchema[]) =>
      outers.some((outer) => {
        const [was, is] = direction === "sent" ? [inner, outer] : [outer, inner];
        return schemaBreaks(was, is, direction, at).length === 0;
      });
    const [inners, outers] = direction === "sent" ? [old, now] : [now, old];
    return inners.every((inner) => isMet(inner, outers)) ? [] : [`${at}: ${keyword} has other alternatives`];
  });
}

function variantsOf(schema: JsonSchema, keyword: string): JsonSchema[] {
  const variants = schema[keyword];
  if (Array.isArray(variants)) return variants;
  const { anyOf: _a, oneOf: _o, ...plain } = schema;
  return [plain];
}

function membersOf({ properties }: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (properties ?? {}) as Readonly<Record<string, JsonSchema>>;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null;
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function show(value: unknown): string {
  return value === undefined ? "not there" : JSON.stringify(value);
}
