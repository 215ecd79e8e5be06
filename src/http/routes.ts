import type Router from "@koa/router";
import type { Context, Next } from "koa";
import { isProblem } from "../base/problem.ts";
import type { Span } from "../base/span.ts";
import { CLOCK_HEADER, TIMEOUT_HEADER, UNTIL_HEADER } from "../call/batch.ts";
import { Binding } from "../call/binding.ts";
import { BODY_LIMIT_BYTES } from "../call/limits.ts";
import { processTimeMs, timeLeft } from "../call/peer-clock.ts";
import { problemHeaders } from "../call/problem-body.ts";
import type { CallContext, Principal } from "../contract/context.ts";
import { type Callable, NO_CONTENT, type Operation } from "../contract/contract.ts";
import { callerOf, identify, requireAccess, type VerifyToken } from "../identity/access.ts";
import { readBearer } from "../identity/token-verifier.ts";
import { readBody } from "./body.ts";
import { hasGone, requireCaller } from "./caller-presence.ts";

export interface RouteOptions {
  readonly verify: VerifyToken;
  /** Lets the request in, or throws Problem: the gateway's rate limit. */
  admit?(koa: Context, operation: Operation, principal: Principal | null): Promise<void>;
  /** Begins the span of a request to a path template, if the request is to be traced, and makes it `koa.state.trace`. */
  beginRequest?(koa: Context, route: string): Span | undefined;
  /** Milliseconds that this request may take, given the extra time that it asks for. */
  timeoutMs(koa: Context, extraTimeMs: number): number;
}

/** The time that a neighbour's caller still waits, at most ours. */
export function timeoutOf(ownTimeoutMs: number): RouteOptions["timeoutMs"] {
  return (koa, extraTimeMs) => {
    const own = ownTimeoutMs + extraTimeMs;
    const told = koa.get(TIMEOUT_HEADER);
    if (!/^\d{1,9}$/.test(told)) return own;
    const until = koa.get(UNTIL_HEADER);
    return timeLeft(Math.min(Number(told), own), /^\d{1,15}(\.\d+)?$/.test(until) ? Number(until) : undefined);
  };
}

/** Middleware that tells a neighbour what time it is here, as late as can be. */
export async function tellTime(koa: Context, next: Next): Promise<void> {
  await next();
  if (koa.get(TIMEOUT_HEADER) !== "") koa.set(CLOCK_HEADER, String(processTimeMs()));
}

/**
 * Mounts all operations of a contract as Koa routes. The checks come in the order of the API: path, method,
 * rate limit, authentication, authorisation, media type, size, JSON; the callee validates, then operates.
 */
export function mountContract(router: Router, callable: Callable, options: RouteOptions): void {
  for (const [name, operation] of Object.entries(callable.contract.operations)) {
    const handle = handleOperation(name, operation, callable, options);
    for (const path of [operation.path, ...(operation.aliases ?? [])]) {
      router.register(path.replace(/\{(\w+)\}/g, ":$1"), [operation.method], traceRequests(path, handle, options));
    }
  }
}

/** Most requests have none. */
const NO_QUERY = new URLSearchParams();

type Handle = (koa: Context & { params: Record<string, string> }) => Promise<void>;

function traceRequests(route: string, handle: Handle, { beginRequest }: RouteOptions): Handle {
  if (beginRequest === undefined) return handle;
  return (koa) => {
    const span = beginRequest(koa, route);
    return span === undefined ? handle(koa) : handleInSpan(span, koa, handle);
  };
}

async function handleInSpan(span: Span, koa: Parameters<Handle>[0], handle: Handle): Promise<void> {
  try {
    await handle(koa);
    span.end(String(koa.status));
  } catch (error) {
    span.end(String(isProblem(error) ? error.status : 500));
    throw error;
  }
}

function handleOperation(name: string, operation: Operation, callable: Callable, options: RouteOptions): Handle {
  const binding = Binding.of(operation);
  return async (koa) => {
    const identity = await identify(() => readBearer(koa.headers.authorization), options.verify);
    // What is wrong with the token is told only after the rate limit has counted the request, also if it makes no difference (RFC 6750, 3).
    await options.admit?.(koa, operation, isProblem(identity) ? null : identity.principal);
    if (isProblem(identity)) koa.set(problemHeaders(identity));
    const caller = callerOf(identity, operation.access);
    requireAccess(operation.access, caller.principal);
    const body = await readBody(koa.req, { limitBytes: BODY_LIMIT_BYTES, expected: binding.takesBody });
    const input = binding.read({
      path: koa.params,
      query: koa.querystring === "" ? NO_QUERY : new URLSearchParams(koa.querystring),
      header: (header) => headerOf(koa, header),
      body,
    });
    const timeoutMs = options.timeoutMs(koa, binding.extraTimeMs(input));
    const ctx: CallContext = {
      ...caller,
      askedAt: performance.now(),
      deadline: performance.now() + timeoutMs,
      requestId: koa.state.requestId,
      progress: { begun: false, isGone: () => hasGone(koa.req, koa.res) },
      trace: koa.state.trace,
    };
    if (operation.method !== "GET") await requireCaller(ctx);
    answer(koa, operation, await callable.call(name, input, ctx), ctx);
    tellPreferences(koa, operation, input);
  };
}

/** @returns an empty text for a header that is there and empty, which is not the same as none */
function headerOf(koa: Context, name: string): string | undefined {
  const value = koa.headers[name.toLowerCase()];
  return typeof value === "string" ? value : undefined;
}

function answer(koa: Context, operation: Operation, output: Record<string, unknown>, ctx: CallContext): void {
  const body = bodyWithoutHeaders(koa, operation, output);
  koa.status = operation.status ?? 200;
  if (ctx.principal !== null || operation.method !== "GET") koa.set("Cache-Control", "no-store");
  else koa.set("Cache-Control", "no-cache"); // may be kept, but is asked for again each time
  if (operation.access === "public" && operation.method === "GET") varyByCaller(koa);
  if (operation.location !== undefined) koa.set("Location", operation.location(output));
  if (operation.paged === true && typeof body.next_cursor === "string")
    koa.set("Link", nextLink(koa, body.next_cursor));
  const text = koa.status === NO_CONTENT ? "" : JSON.stringify(body);
  if (operation.etag !== undefined) {
    const etag = operation.etag(output, text);
    koa.set("ETag", etag);
    if (operation.method === "GET" && matchesTag(koa.get("If-None-Match"), etag)) {
      koa.status = 304;
      return;
    }
  }
  if (koa.status === NO_CONTENT) return;
  koa.type = "application/json; charset=utf-8";
  koa.body = text;
}

/** Who signs in may see more. */
function varyByCaller(koa: Context): void {
  if (koa.res.hasHeader("Vary")) koa.vary("Authorization");
  else koa.set("Vary", "Authorization");
}

/** Which preferences were honoured, and with what value (RFC 7240, 3). */
function tellPreferences(koa: Context, operation: Operation, input: Readonly<Record<string, unknown>>): void {
  for (const [member, { preference }] of Object.entries(operation.inputHeaders ?? {})) {
    if (preference === undefined || input[member] === undefined) continue;
    koa.append("Preference-Applied", `${preference}=${String(input[member])}`);
  }
}

function bodyWithoutHeaders(koa: Context, operation: Operation, output: Record<string, unknown>) {
  if (operation.outputHeaders === undefined) return output;
  const body = { ...output };
  for (const [member, header] of Object.entries(operation.outputHeaders)) {
    if (body[member] !== undefined) koa.set(header, String(body[member]));
    delete body[member];
  }
  return body;
}

function nextLink(koa: Context, cursor: string): string {
  const query = new URLSearchParams(koa.querystring);
  query.set("cursor", cursor);
  return `<${koa.path}?${query}>; rel="next"`;
}

/** RFC 9110, 13.1.2: the weak comparison. */
function matchesTag(header: string, etag: string): boolean {
  return header === "*" || header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
