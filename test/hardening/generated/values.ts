import fc from "fast-check";
import type { Schema } from "./document.ts";

/** Stands for something that an earlier call brought, which is known only when the call is made. */
export class Remembered {
  readonly kind: string;
  readonly pick: number;

  constructor(kind: string, pick: number) {
    this.kind = kind;
    this.pick = pick;
  }
}

/** Values that somebody would try who wants to see it break. */
export const badValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown[]>(
    ...[null, true, false, 0, -1, 1, 1.5, -0, 1e21, 1e308, -1e308, 2 ** 53 + 1, 2 ** 31, 100_000_001],
    ...["", " ", "0", "5", "null", "\0", "a\0b", "\ud800", "\udc00\ud800", "😀".repeat(60), "x".repeat(3_000)],
    ...["'; DROP TABLE users; --", "<script>", "../..", "%00", "__proto__", "constructor", "1e400", "Infinity"],
    ...["2026-02-30T25:61:61Z", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    ...[[], {}, [[]], [null], { id: 1 }, { length: 5 }, { toString: 1 }, JSON.parse('{"__proto__":{"admin":true}}')],
  ),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.integer(),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Values that a schema takes, mostly. */
export function goodValue(schema: Schema): fc.Arbitrary<unknown> {
  const {
    type,
    format,
    minimum = 0,
    maximum = 1_000_000,
    minLength = 0,
    maxLength = 60,
    minItems = 0,
  } = schema as Constraints;
  if ("const" in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  if (type === "integer" || type === "number") {
    return fc.oneof(
      fc.integer({ min: minimum, max: Math.min(maximum, minimum + 20) }),
      fc.constantFrom(minimum, maximum),
    );
  }
  if (type === "boolean") return fc.boolean();
  if (type === "array") {
    const item = goodValue((schema.items ?? {}) as Schema);
    return fc.array(item, { minLength: minItems, maxLength: minItems + 3 });
  }
  if (type === "object") return goodObject(schema);
  if (type === "string") return goodText(format, minLength, maxLength);
  return fc.jsonValue({ maxDepth: 2 });
}

interface Constraints {
  readonly type?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
}

function goodObject(schema: Schema): fc.Arbitrary<unknown> {
  const { properties = {}, required = [] } = schema as {
    properties?: Readonly<Record<string, Schema>>;
    required?: string[];
  };
  const members = Object.entries(properties).map(([name, member]): [string, fc.Arbitrary<unknown>] => [
    name,
    goodValue(member),
  ]);
  return fc.record<Record<string, unknown>>(Object.fromEntries(members), {
    requiredKeys: required,
    noNullPrototype: true,
  });
}

function goodText(format: string | undefined, minLength: number, maxLength: number): fc.Arbitrary<string> {
  if (format === "uuid") return fc.uuid();
  if (format === "email") return fc.integer({ min: 1, max: 1e9 }).map((number) => `g${number}@example.org`);
  if (format === "password")
    return fc.constantFrom("the password of all of them", "another password of theirs", "short");
  return fc.string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength, minLength + 20) });
}
