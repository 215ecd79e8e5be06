import fc from "fast-check";
import type { Documented, Parameter, Schema } from "./document.ts";
import { kindOf } from "./memory.ts";
import { badValue, goodValue, Remembered } from "./values.ts";

/** Who makes a call. */
export type Who = "nobody" | "alice" | "bob" | "admin" | "remembered" | "garbage" | "expired";

/** A call to be made; what is remembered stands in it by its kind. */
export interface Plan {
  readonly operation: Documented;
  readonly who: Who;
  readonly parameters: readonly { readonly parameter: Parameter; readonly value: unknown }[];
  /** Further query parameters. */
  readonly strays: readonly string[];
  readonly mediaType: string;
  /** A text is sent as it is. */
  readonly body: Body;
}

export type Body = { readonly json: unknown } | { readonly text: string } | undefined;

/** Calls of all operations, good and bad; half of them are about what earlier calls brought. */
export function plans(operations: readonly Documented[]): fc.Arbitrary<Plan> {
  const weighted = operations.flatMap((operation) => Array<Documented>(weightOf(operation)).fill(operation));
  return fc
    .tuple(fc.constantFrom(...weighted), fc.boolean())
    .chain(([operation, isStateful]) => planOf(operation, isStateful));
}

/** What changes something is more interesting than what looks, and that more than the gateway's own pages. */
function weightOf({ tag, method }: Documented): number {
  if (tag === "gateway") return 1;
  return method === "GET" ? 4 : 8;
}

function planOf(operation: Documented, isStateful: boolean): fc.Arbitrary<Plan> {
  const value = (name: string, schema: Schema) => memberValue(name, schema, operation.tag, isStateful);
  const parameters = operation.parameters.map((parameter) => {
    const present = { parameter: fc.constant(parameter), value: value(parameter.name, parameter.schema) };
    return parameter.in === "path" ? fc.record(present) : fc.option(fc.record(present), { freq: 1, nil: undefined });
  });
  return fc.record({
    operation: fc.constant(operation),
    who: who(isStateful),
    parameters: fc.tuple(...parameters).map((each) => each.filter((one) => one !== undefined)),
    strays: rarely(
      fc.array(fc.constantFrom("x=1", "limit=2", "cursor=", "__proto__=1", "%ff=%fe", "id=5"), { maxLength: 2 }),
      [],
    ),
    mediaType: rarely(
      fc.constantFrom("text/plain", "", "application/json;charset=latin1", "multipart/form-data"),
      JSON_TYPE,
    ),
    body: bodyOf(operation, value),
  });
}

const JSON_TYPE = "application/json";

function rarely<T>(odd: fc.Arbitrary<T>, usual: T): fc.Arbitrary<T> {
  return fc.oneof({ weight: 19, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd });
}

function who(isStateful: boolean): fc.Arbitrary<Who> {
  const known = fc.constantFrom<Who[]>("alice", "bob", "admin", "admin");
  const strange = fc.constantFrom<Who[]>("nobody", "nobody", "garbage", "expired");
  const arbitrary = isStateful ? fc.oneof(known, fc.constant<Who>("remembered")) : known;
  return fc.oneof({ weight: 8, arbitrary }, { weight: 2, arbitrary: strange });
}

function memberValue(name: string, schema: Schema, tag: string, isStateful: boolean): fc.Arbitrary<unknown> {
  const kind = kindOf(name, tag);
  const good =
    name === "Prefer" ? fc.constantFrom("wait=0", "wait=1", "wait=2; x", "respond-async") : goodValue(schema);
  const usual =
    kind !== undefined && isStateful
      ? fc.oneof(
          { weight: 9, arbitrary: fc.nat(1_000).map((pick) => new Remembered(kind, pick)) },
          { weight: 1, arbitrary: good },
        )
      : good;
  return fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: badValue });
}

type ValueOf = (name: string, schema: Schema) => fc.Arbitrary<unknown>;

function bodyOf({ body, method }: Documented, value: ValueOf): fc.Arbitrary<Body> {
  const text = fc
    .oneof(fc.constantFrom("{", "", "[", '{"a":1,"a":2}', "{} {}", "\ufeff{}", "nul", "1e400"), fc.string())
    .map((text) => ({ text }));
  if (body === undefined) {
    return rarely<Body>(
      method === "GET" ? fc.constant({ json: {} }) : fc.oneof(text, fc.constant({ json: {} })),
      undefined,
    );
  }
  const json = (arbitrary: fc.Arbitrary<unknown>) => arbitrary.map((json) => ({ json }));
  return fc.oneof(
    { weight: 16, arbitrary: json(objectOf(body, value)) },
    { weight: 1, arbitrary: json(badValue) },
    { weight: 1, arbitrary: text },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}

/** Objects of a body's schema: its members, rarely one too few or too many; of several forms, one. */
function objectOf(schema: Schema, value: ValueOf): fc.Arbitrary<unknown> {
  const {
    properties = {},
    required = [],
    oneOf = [{}],
  } = schema as {
    properties?: Readonly<Record<string, Schema>>;
    required?: string[];
    oneOf?: { required?: string[] }[];
  };
  const exclusive = new Set(oneOf.flatMap((form) => form.required ?? []));
  return fc.constantFrom(...oneOf).chain((form) => {
    const needed = new Set([...required, ...(form.required ?? [])]);
    const members = Object.entries(properties).map(([name, member]) => {
      const deep =
        name === "items" && member.type === "array"
          ? fc.array(objectOf(member.items as Schema, value), { minLength: 1, maxLength: 4 })
          : value(name, member);
      const presence = needed.has(name) ? 39 : exclusive.has(name) ? 1 : 15;
      return fc
        .tuple(fc.nat(39), deep)
        .map(([chance, member]): [string, unknown][] => (chance < presence ? [[name, member]] : []));
    });
    const stray = rarely<[string, unknown][]>(
      fc.tuple(fc.constantFrom("role", "status", "__proto__", "constructor", "x"), badValue).map((each) => [each]),
      [],
    );
    return fc.tuple(...members, stray).map((lists) => fromEntries(lists.flat()));
  });
}

/** Also `__proto__` becomes a member. */
function fromEntries(entries: readonly [string, unknown][]): object {
  const object: Record<string, unknown> = {};
  for (const [name, value] of entries)
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true });
  return object;
}
