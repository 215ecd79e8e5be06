import Router from "@koa/router";
import Koa, { type Context, type Next } from "koa";
import { isProblem, Problem } from "./problem.ts";
import { PROBLEM_TYPE, problemBody, problemHeaders } from "./problem-body.ts";
import { checkRawPath } from "./raw-path.ts";
import { requestIdOf } from "./request-id.ts";
import { traceOf } from "./trace.ts";

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
  const router = new Router();
  mount(router);
  app.on("error", () => {}); // a client that went away; failures of ours are told by `answerProblems`
  app.use(identifyRequest);
  for (const middleware of options.before ?? []) app.use(middleware);
  app.use(answerProblems(options));
  app.use(checkPath);
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
      koa.status = problem.status;
      koa.set(problemHeaders(problem));
      koa.set("Cache-Control", "no-store");
      koa.body = JSON.stringify(problemBody(problem, koa.path, koa.state.requestId));
      koa.type = PROBLEM_TYPE;
    }
  };
}

function checkPath(koa: Context, next: Next): Promise<unknown> {
  checkRawPath(koa.req.url ?? "/");
  return next();
}

/** Answers what no route took: the path is unknown, or known with other methods. */
function refuseUnrouted(router: Router) {
  return (koa: Context): void => {
    const methods = new Set(router.match(koa.path, koa.method).path.flatMap((layer) => layer.methods));
    if (methods.size === 0) throw new Problem("not-found", "There is nothing at this path.");
    const allow = [...methods].sort().join(", ");
    throw new Problem("method-not-allowed", `This path takes ${allow}.`, { headers: { Allow: allow } });
  };
}
