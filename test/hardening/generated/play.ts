import fc from "fast-check";
import { type Answer, bodyOf, type Request } from "../../support/api.ts";
import type { Target } from "../target.ts";
import { type Body, type Plan, plans, type Who } from "./calls.ts";
import { type ApiDocument, createFaultFinder, readOperations } from "./document.ts";
import { kindOf, Memory } from "./memory.ts";
import { Remembered } from "./values.ts";

export interface Played {
  readonly calls: number;
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Which operations were answered with a success. */
  readonly succeeded: ReadonlySet<string>;
  readonly operations: number;
  readonly faults: readonly string[];
}

/** So many at once: the store has groups to commit, the clients batches to send. */
const AT_ONCE = 8;

/** Makes calls that the API's own document suggests, and holds each answer against the document. */
export async function play(target: Target, count: number, seed: number): Promise<Played> {
  const document = bodyOf<ApiDocument>(await target.api.get("/openapi.json"));
  const operations = readOperations(document);
  const findFault = createFaultFinder(document);
  const memory = new Memory();
  for (const product of [target.product, ...(await seededProducts(target))]) memory.remember("products", product);
  const statuses = new Map<number, number>();
  const succeeded = new Set<string>();
  const faults: string[] = [];
  const queue = fc.sample(plans(operations), { numRuns: count, seed }).entries();

  async function work(): Promise<void> {
    for (const [at, plan] of queue) {
      const request = toRequest(plan, memory, target);
      const answer = await target.api.call(request);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status < 300) succeeded.add(`${plan.operation.method} ${plan.operation.path}`);
      memory.learn(plan.operation.tag, answer);
      const fault = findFault(plan.operation, answer);
      if (fault !== undefined) faults.push(describe(at, request, answer, fault));
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { calls: count, statuses, succeeded, operations: operations.length, faults };
}

async function seededProducts({ api }: Target): Promise<string[]> {
  return bodyOf<{ data: { id: string }[] }>(await api.get("/products")).data.map(({ id }) => id);
}

function toRequest(plan: Plan, memory: Memory, target: Target): Request {
  const { operation, parameters, strays, mediaType } = plan;
  let { path } = operation;
  const query: string[] = [...strays];
  const headers: Record<string, string> = {};
  for (const { parameter, value } of parameters) {
    const text = asText(resolve(value, memory));
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encoded(text) || "-");
    if (parameter.in === "query") query.push(`${parameter.name}=${encoded(text)}`);
    if (parameter.in === "header") headers[parameter.name] = asHeader(text);
    if (parameter.name === "Idempotency-Key")
      memory.remember(kindOf(parameter.name, operation.tag) ?? "", asHeader(text));
  }
  const body = bodyText(plan.body, memory);
  return {
    method: operation.method,
    path: query.length === 0 ? path : `${path}?${query.join("&")}`,
    token: tokenOf(plan.who, memory, target),
    headers:
      body === undefined || mediaType === "application/json" ? headers : { ...headers, "content-type": mediaType },
    body,
  };
}

function bodyText(body: Body, memory: Memory): string | undefined {
  if (body === undefined) return undefined;
  return "text" in body ? body.text : JSON.stringify(resolve(body.json, memory));
}

/** The same value with what is remembered in it. */
function resolve(value: unknown, memory: Memory): unknown {
  if (value instanceof Remembered) return memory.recall(value.kind, value.pick) ?? "nothing-yet";
  if (Array.isArray(value)) return value.map((item) => resolve(item, memory));
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    Object.defineProperty(copy, name, { value: resolve(member, memory), enumerable: true });
  }
  return copy;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : String(JSON.stringify(value));
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** What a client library lets through. */
function asHeader(text: string): string {
  return text.replace(/[^\x20-\x7e\xa0-\xff]/g, "?").slice(0, 2_000);
}

function tokenOf(who: Who, memory: Memory, { alice, bob, admin, sign }: Target): string | undefined {
  if (who === "nobody") return undefined;
  if (who === "garbage") return "not.a.token";
  if (who === "expired") return sign({ exp: 1_700_000_000 });
  if (who === "remembered") return memory.recall("token", 0) ?? bob.token;
  return { alice, bob, admin }[who].token;
}

function describe(at: number, request: Request, { status, body }: Answer, fault: string): string {
  const short = (value: unknown) => JSON.stringify(value)?.slice(0, 600);
  return `call ${at}: ${fault}\n  ${short({ ...request, token: request.token?.slice(-8) })}\n  ${status} ${short(body)}`;
}
