import { type JsonSchema, schemaBreaks } from "./schema-changes.ts";

type Part = Readonly<Record<string, unknown>>;
type Parts = Readonly<Record<string, Part>>;

/**
 * Finds what breaks clients between two OpenAPI documents: something that they may ask is gone or refused, or an answer
 * lacks what they were promised. Names of problems may come and go within a status.
 * @returns a line for each change
 */
export function openApiBreaks(before: object, after: object): string[] {
  const [old, now] = [resolve(before), resolve(after)];
  const served = new Map(operationsOf(now));
  return operationsOf(old).flatMap(([name, operation]) => {
    const next = served.get(name);
    if (next === undefined) return [`${name}: is gone`];
    return operationBreaks(operation, next).map((change) => `${name} ${change}`);
  });
}

/** Finds what breaks subscribers between two AsyncAPI documents. @returns a line for each change */
export function asyncApiBreaks(before: object, after: object): string[] {
  const [old, now] = [resolve(before), resolve(after)];
  return Object.entries(part(old.channels)).flatMap(([name, channel]) => {
    const next = part(now.channels)[name];
    if (next === undefined) return [`channel ${name}: is gone`];
    const moved =
      next.address === channel.address ? [] : [`channel ${name}: address was ${channel.address}, is ${next.address}`];
    const events = Object.entries(part(channel.messages)).flatMap(([type, message]) => {
      const nextMessage = part(next.messages)[type];
      if (nextMessage === undefined) return [`channel ${name} ${type}: is gone`];
      return schemaBreaks(schema(message.payload), schema(nextMessage.payload), "answered", `channel ${name} ${type}`);
    });
    return [...moved, ...events];
  });
}

/**
 * Whether breaking changes are meant: the version says so (https://semver.org, 4 and 8).
 * @param before the version of the document that is kept
 */
export function isBreakingRelease(before: string, after: string): boolean {
  const [[oldMajor = 0, oldMinor = 0], [major = 0, minor = 0]] = [before, after].map((each) =>
    each.split(".").map(Number),
  ) as [number[], number[]];
  return major > oldMajor || (major === 0 && oldMajor === 0 && minor > oldMinor);
}

function operationBreaks(before: Part, after: Part): string[] {
  return [
    ...(before.operationId === after.operationId
      ? []
      : [`operationId was ${before.operationId}, is ${after.operationId}`]),
    ...(isOpen(before) && !isOpen(after) ? ["needs a token now"] : []),
    ...parameterBreaks(parametersOf(before), parametersOf(after)),
    ...bodyBreaks(part(before.requestBody), part(after.requestBody)),
    ...answerBreaks(part(before.responses), part(after.responses)),
  ];
}

function parameterBreaks(before: Parts, after: Parts): string[] {
  const changed = Object.entries(before).flatMap(([name, parameter]) => {
    const next = after[name];
    if (next === undefined) return [`${name}: is not taken any more`];
    const needed = next.required === true && parameter.required !== true ? [`${name}: is required now`] : [];
    return [...needed, ...schemaBreaks(schema(parameter.schema), schema(next.schema), "sent", name)];
  });
  const added = Object.entries(after).filter(([name, { required }]) => required === true && before[name] === undefined);
  return [...changed, ...added.map(([name]) => `${name}: is required now`)];
}

function bodyBreaks(before: Part, after: Part): string[] {
  const [old, now] = [part(before.content), part(after.content)];
  if (Object.keys(old).length === 0) return after.required === true ? ["body: is required now"] : [];
  return Object.entries(old).flatMap(([type, content]) => {
    const next = now[type];
    if (next === undefined) return [`body: ${type} is not taken any more`];
    return schemaBreaks(schema(content.schema), schema(next.schema), "sent", "body");
  });
}

function answerBreaks(before: Parts, after: Parts): string[] {
  return Object.entries(before).flatMap(([status, answer]) => {
    const next = after[status];
    if (next === undefined) return [`${status}: is not answered any more`];
    const headers = Object.keys(part(answer.headers)).filter((name) => !(name in part(next.headers)));
    const bodies = Object.entries(part(answer.content)).flatMap(([type, content]) => {
      const nextContent = part(next.content)[type];
      if (nextContent === undefined) return [`${status}: ${type} is not answered any more`];
      if (Number(status) >= 400) return [];
      return schemaBreaks(schema(content.schema), schema(nextContent.schema), "answered", status);
    });
    return [...headers.map((name) => `${status} ${name}: is not answered any more`), ...bodies];
  });
}

function operationsOf(document: Part): [string, Part][] {
  return Object.entries(part(document.paths)).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Part] => [
      `${method.toUpperCase()} ${path}`,
      operation as Part,
    ]),
  );
}

function parametersOf({ parameters = [] }: Part): Parts {
  return Object.fromEntries((parameters as Part[]).map((each) => [`${each.in} ${each.name}`, each]));
}

function isOpen({ security = [] }: Part): boolean {
  const ways = security as object[];
  return ways.length === 0 || ways.some((way) => Object.keys(way).length === 0);
}

/** The document with what it refers to in place of the references, and what belongs together (`allOf`) in one. */
function resolve(document: object): Part {
  const inPlace = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(inPlace);
    if (typeof node !== "object" || node === null) return node;
    const { $ref, allOf, ...own } = node as Part;
    const parts = [$ref === undefined ? {} : target(document, String($ref)), ...((allOf ?? []) as Part[]), own];
    if (parts.length > 2 || $ref !== undefined) return parts.map((each) => inPlace(each) as Part).reduce(merge);
    return Object.fromEntries(Object.entries(own).map(([name, value]) => [name, inPlace(value)]));
  };
  return inPlace(document) as Part;
}

function merge(a: Part, b: Part): Part {
  const properties = { ...part(a.properties), ...part(b.properties) };
  return { ...a, ...b, ...(Object.keys(properties).length > 0 ? { properties } : {}) };
}

function target(document: object, reference: string): Part {
  const names = reference
    .slice(2)
    .split("/")
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce((node, name) => part(node[name]), document as Parts) as Part;
}

function part(value: unknown): Parts {
  return (value ?? {}) as Parts;
}

function schema(value: unknown): JsonSchema {
  return part(value);
}
