import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Answer } from "../../support/api.ts";

export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: Schema;
}

/** An operation as the document tells it. */
export interface Documented {
  readonly method: string;
  /** With placeholders. */
  readonly path: string;
  readonly tag: string;
  readonly parameters: readonly Parameter[];
  /** Undefined where no body is taken. */
  readonly body: Schema | undefined;
  readonly responses: Readonly<Record<string, Reference | Response>>;
}

interface Reference {
  readonly $ref: string;
}

interface Response {
  readonly content?: Readonly<Record<string, unknown>>;
}

interface RawOperation {
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: Schema } } };
  readonly responses: Documented["responses"];
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, Response>> };
}

export function readOperations({ paths }: ApiDocument): Documented[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { tags, parameters = [], requestBody, responses }]) => ({
      method: method.toUpperCase(),
      path,
      tag: tags[0] ?? "",
      parameters,
      body: requestBody?.content["application/json"].schema,
      responses,
    })),
  );
}

/** Says what about an answer the document does not tell; undefined when all is as documented. */
export type FindFault = (operation: Documented, answer: Answer) => string | undefined;

export function createFaultFinder(document: ApiDocument): FindFault {
  const validate = createValidator(document);
  return (operation, answer) => {
    const { status } = answer;
    const response = operation.responses[status];
    if (response === undefined) return `status ${status} is not documented`;
    if (status >= 500) return `status ${status}`;
    const place = placeOf(operation, status, response);
    const { content } = "$ref" in response ? (document.components.responses[place.at(-1) ?? ""] ?? {}) : response;
    if (content !== undefined)
      return faultOfContent(content, answer, (type) => validate([...place, "content", type, "schema"], answer.body));
    return answer.body === undefined ? undefined : "a body is not documented";
  };
}

/** Validates values against schemas in the document, each compiled once. */
function createValidator(document: ApiDocument) {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, "document");
  const compiled = new Map<string, ValidateFunction>();
  return (place: readonly string[], value: unknown): string | undefined => {
    const pointer = place.map((part) => `/${pointerPart(part)}`).join("");
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `document#${pointer}` });
    compiled.set(pointer, validate);
    return validate(value) ? undefined : ajv.errorsText(validate.errors);
  };
}

function faultOfContent(
  content: Readonly<Record<string, unknown>>,
  { headers }: Answer,
  validate: (type: string) => string | undefined,
): string | undefined {
  const [sent] = headers["content-type"]?.split(";") ?? [];
  const type = Object.keys(content).find((each) => each.split(";")[0] === sent);
  if (type === undefined) return `the media type "${sent}" is not documented`;
  const fault = type.includes("json") ? validate(type) : undefined;
  return fault === undefined ? undefined : `the body is not as documented: ${fault}`;
}

/** Where in the document an answer is described. */
function placeOf({ path, method }: Documented, status: number, response: Reference | Response): string[] {
  if ("$ref" in response) return response.$ref.split("/").slice(1);
  return ["paths", path, method.toLowerCase(), "responses", String(status)];
}

/** A part of a JSON pointer in a URI fragment. */
function pointerPart(part: string): string {
  return encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
}
