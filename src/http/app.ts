import type Router from "@koa/router";
import Koa, { type Context, type Next } from "koa";
import { isProblem, Problem } from "../base/problem.ts";
import { traceOf } from "../base/trace.ts";
import { BODY_LIMIT_BYTES } from "../call/limits.ts";
import { PROBLEM_TYPE, problemBody, problemHeaders } from "../call/problem-body.ts";
import { NO_CONTENT } from "../contract/contract.ts";
import { abandonBody } from "./body.ts";
import { IndexedRouter } from "./indexed-router.ts";
import { checkRawPath } from "./path.ts";
import { requestIdOf } from "./request-id.ts";

export interface HttpAppOptions {
  /** Told of every failure without a name, which the client sees as `internal`. */
  onUnexpected(error: unknown, koa: Context): void;
  /** Runs around everything else, for every request: security headers and the like. */
  readonly before?: readonly Koa.Middleware[];
}

/**
 * What every HTTP server of ours has in common, the gateway as well as a module: a request id, a trace, a clean
 * path, and problems (RFC 9457) from every layer.
 * @param mount adds the routes
 */
export function createHttpApp(mount: (router: Router) => void, options: HttpAppOptions): Koa {
  const app = new Koa();
  // A path is what the API says, to the letter: whoever stands in front may close one.
  const router = new IndexedRouter({ sensitive: true, strict: true });
  mount(router);
  app.on("error", () => {}); // a client that went away; failures of ours are told by `answerProblems`
  app.use(identifyRequest);
  app.use(closeOnUnreadBody);
  for (const middleware of options.before ?? []) app.use(middleware);
  app.use(answerProblems(options));
  app.use(checkPath);
  app.use(refuseOtherMethods(literalPaths(router)));
  app.use(router.routes());
  app.use(refuseUnrouted(router));
  return app;
}

function identifyRequest(koa: Context, next: Next): Promise<unknown> {
  koa.state.requestId = requestIdOf(koa.headers["x-request-id"]);
  koa.state.trace = traceOf(koa.headers.traceparent);
  koa.set("X-Request-Id", koa.state.requestId);
  return next();
}

function answerProblems(options: HttpAppOptions) {
  return async (koa: Context, next: Next): Promise<void> => {
    try {
      await next();
    } catch (error) {
      const problem = isProblem(error)
        ? error
        : new Problem("internal", "Something went wrong here.", { cause: error });
      if (problem !== error) options.onUnexpected(error, koa);
      koa.state.problem = problem.code;
      koa.status = problem.status;
      koa.set(problemHeaders(problem));
      koa.set("Cache-Control", "no-store");
      koa.body = JSON.stringify(problemBody(problem, koa.path, koa.state.requestId));
      koa.type = PROBLEM_TYPE;
    }
  };
}

function checkPath(koa: Context, next: Next): Promise<unknown> {
  if (koa.method === "OPTIONS" && koa.req.url === "*") return answerServerOptions(koa);
  checkRawPath(koa.req.url ?? "/");
  return next();
}

/** RFC 9110, 9.3.7: `OPTIONS *` asks the server, not a resource; a ping. */
async function answerServerOptions(koa: Context): Promise<void> {
  koa.status = NO_CONTENT;
}

/** An answer that comes before the body has been read ends the connection, unless what is left of the body is small. */
async function closeOnUnreadBody(koa: Context, next: Next): Promise<void> {
  await next();
  if (!koa.headerSent && koa.response.get("Connection") !== "close" && abandonBody(koa.req, BODY_LIMIT_BYTES)) {
    koa.set("Connection", "close");
  }
}

/** The paths without parameters, and what each takes. */
function literalPaths(router: Router): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { path, methods } of router.stack) {
    if (typeof path !== "string" || path.includes(":") || methods.length === 0) continue; // middleware takes no method
    const known = found.get(path) ?? new Set();
    for (const method of methods) known.add(method);
    found.set(path, known);
  }
  return found;
}

/** Whoever asks for `/users/register` never means the user `register`. */
function refuseOtherMethods(literals: ReturnType<typeof literalPaths>) {
  return (koa: Context, next: Next): Promise<unknown> | undefined => {
    const methods = literals.get(koa.path);
    if (methods === undefined || methods.has(koa.method)) return next();
    refuseMethod(koa, methods);
    return undefined;
  };
}

/** Answers what no route took: the path is unknown, or known with other methods. */
function refuseUnrouted(router: Router) {
  return (koa: Context): void => {
    const methods = new Set(router.match(koa.path, koa.method).path.flatMap((layer) => layer.methods));
    if (methods.size === 0) throw new Problem("not-found", "There is nothing at this path.");
    refuseMethod(koa, methods);
  };
}

/** Tells which methods a path takes: OPTIONS asks for that. @throws Problem method-not-allowed for any other */
function refuseMethod(koa: Context, methods: ReadonlySet<string>): void {
  const allow = [...methods, "OPTIONS"].sort().join(", ");
  if (koa.method !== "OPTIONS") {
    throw new Problem("method-not-allowed", `This path takes ${allow}.`, { headers: { Allow: allow } });
  }
  koa.status = NO_CONTENT;
  koa.set("Allow", allow);
}
