import { z } from "zod";
import { type FieldError, validationFailed } from "../base/problem.ts";
import type { HeaderBinding, Operation } from "../contract/contract.ts";

/** What a request carries, as text where HTTP carries text. `body` is undefined where none was sent. */
export interface RawRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  readonly body: unknown;
}

/** What a member travels in, and how to turn text into its type and back. */
class Member {
  readonly name: string;
  readonly in: FieldError["in"];
  readonly header: HeaderBinding | undefined;
  readonly schema: z.core.$ZodType;
  #type: "integer" | "boolean" | "string" | undefined;

  constructor(operation: Operation, name: string, schema: z.core.$ZodType) {
    this.name = name;
    this.schema = schema;
    this.header = operation.inputHeaders?.[name];
    if (this.header !== undefined) this.in = "header";
    else this.in = operation.path.includes(`{${name}}`) ? "path" : elsewhere(operation);
  }

  /** Found at the first text of this member: to ask all of them takes a twentieth of a start. */
  get type(): "integer" | "boolean" | "string" {
    if (this.#type === undefined) {
      const { type } = z.toJSONSchema(this.schema, { io: "input", unrepresentable: "any" });
      this.#type = type === "integer" || type === "boolean" ? type : "string";
    }
    return this.#type;
  }
}

/** An input laid out over the parts of a request, for the client's side. */
export interface BoundRequest {
  readonly path: string;
  readonly query: string;
  readonly headers: Record<string, string>;
  readonly body: Record<string, unknown> | undefined;
}

/** Where each member of an operation's input travels; see `Operation`. */
export class Binding {
  static readonly #made = new WeakMap<Operation, Binding>();

  /** The binding of an operation, made once. */
  static of(operation: Operation): Binding {
    const binding = Binding.#made.get(operation) ?? new Binding(operation);
    Binding.#made.set(operation, binding);
    return binding;
  }

  readonly takesBody: boolean;
  readonly #operation: Operation;
  readonly #members: ReadonlyMap<string, Member>;
  /** The member that says how many seconds its caller is ready to wait for an answer (RFC 7240, 4.3). */
  readonly #wait: string | undefined;

  private constructor(operation: Operation) {
    this.#operation = operation;
    const entries = Object.entries(operation.input.shape);
    this.#members = new Map(entries.map(([name, schema]) => [name, new Member(operation, name, schema)]));
    const members = [...this.#members.values()];
    this.takesBody = members.some((member) => member.in === "body");
    this.#wait = members.find(({ header }) => header?.preference === "wait")?.name;
  }

  /** All members of the input. */
  get members(): Iterable<Member> {
    return this.#members.values();
  }

  /** The part of a request that carries this member; an unknown one counts as sent where unknown members are. */
  locationOf(member: string): FieldError["in"] {
    return this.#members.get(member)?.in ?? elsewhere(this.#operation);
  }

  /** The name under which a fault of this member is reported: a header's own, else the member's. */
  wireName(member: string): string {
    return this.#members.get(member)?.header?.name ?? member;
  }

  /** Milliseconds that a call with this input may take beyond the usual deadline. */
  extraTimeMs(input: Readonly<Record<string, unknown>>): number {
    const seconds = this.#wait === undefined ? undefined : input[this.#wait];
    return typeof seconds === "number" ? seconds * 1_000 : 0;
  }

  /** Whether callers may say that they are ready to wait. */
  get mayWait(): boolean {
    return this.#wait !== undefined;
  }

  /** The same input of a caller who is ready to wait for so long, in whole seconds. */
  withWait(input: Readonly<Record<string, unknown>>, seconds: number): Record<string, unknown> {
    return this.#wait === undefined ? { ...input } : { ...input, [this.#wait]: seconds };
  }

  /** The same input of a caller who is not ready to wait. */
  withoutWait(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(input).filter(([name]) => name !== this.#wait));
  }

  /**
   * Collects the members of the input from a request. Types are the schema's to check; preferences are as they are honoured.
   * @throws Problem validation-failed for a member in the wrong part, a repeated or unknown query parameter,
   *   a body that is not an object, or a body where none is expected
   */
  read(request: RawRequest): Record<string, unknown> {
    const errors: FieldError[] = [];
    const input: Record<string, unknown> = this.#readBody(request.body, errors);
    this.#readQuery(request.query, input, errors);
    for (const member of this.#members.values()) {
      if (member.in === "path") input[member.name] = request.path[member.name];
      if (member.header !== undefined) {
        const value = readHeader(member, request.header(member.header.name));
        if (value !== undefined) input[member.name] = value;
      }
    }
    if (errors.length > 0) throw validationFailed(errors);
    return input;
  }

  /** Lays an input out over a request, the inverse of `read`. Members that are undefined are left out. */
  write(input: Readonly<Record<string, unknown>>): BoundRequest {
    const headers: Record<string, string> = {};
    const query = new URLSearchParams();
    const body: Record<string, unknown> = Object.create(null);
    let path = this.#operation.path;
    for (const [name, value] of Object.entries(input)) {
      const member = this.#members.get(name);
      if (value === undefined) continue;
      if (member?.in === "path") path = path.replace(`{${name}}`, encodeURIComponent(String(value)));
      else if (member?.header !== undefined) headers[member.header.name] = writeHeader(member.header, value);
      else if (this.locationOf(name) === "query") query.set(name, String(value));
      else body[name] = value;
    }
    return { path, query: query.toString(), headers, body: this.takesBody ? body : undefined };
  }

  #readBody(body: unknown, errors: FieldError[]): Record<string, unknown> {
    if (!this.takesBody) {
      if (body !== undefined) errors.push({ in: "body", pointer: "", detail: "no body is expected here" });
      return {};
    }
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      errors.push({ in: "body", pointer: "", detail: "must be an object" });
      return {};
    }
    const input: Record<string, unknown> = Object.create(null);
    for (const [name, value] of Object.entries(body)) {
      const member = this.#members.get(name);
      if (member !== undefined && member.in !== "body") errors.push(unknownMember("body", name));
      else input[name] = value;
    }
    return input;
  }

  #readQuery(query: URLSearchParams, input: Record<string, unknown>, errors: FieldError[]): void {
    if (query.size === 0) return;
    for (const name of new Set(query.keys())) {
      const member = this.#members.get(name);
      const values = query.getAll(name);
      if (member?.in !== "query") errors.push(unknownMember("query", name));
      else if (values.length > 1) errors.push({ in: "query", pointer: pointer([name]), detail: "must be given once" });
      else input[name] = typed(member, values[0] ?? "");
    }
  }
}

/** An RFC 6901 pointer to a member. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The fault of a member that nobody declared. */
export function unknownMember(where: FieldError["in"], name: string): FieldError {
  return { in: where, pointer: pointer([name]), detail: "is not known here" };
}

/** Where members travel that are neither in the path nor in a header. */
function elsewhere({ method }: Operation): "query" | "body" {
  return method === "GET" || method === "DELETE" ? "query" : "body";
}

/** Text as the type its member wants; text that does not look like it stays text, for the schema to refuse. */
function typed(member: Member, text: string): unknown {
  if (member.type === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (member.type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function readHeader(member: Member, text: string | undefined): unknown {
  const preference = member.header?.preference;
  if (text === undefined || preference === undefined) return text === undefined ? undefined : typed(member, text);
  for (const part of text.split(",")) {
    const [name, value] = part.split(";", 1)[0]?.split("=") ?? [];
    if (name?.trim().toLowerCase() !== preference || value === undefined) continue;
    const number = /^\s*"?(\d{1,9})"?\s*$/.exec(value)?.[1];
    if (number !== undefined) return z.safeParse(member.schema, Number(number)).data;
  }
  return undefined;
}

function writeHeader(header: HeaderBinding, value: unknown): string {
  return header.preference === undefined ? String(value) : `${header.preference}=${String(value)}`;
}
