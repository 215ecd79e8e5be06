import type { Middleware } from "koa";
import { Distribution } from "../base/distribution.ts";

/** From what a cache answers to what a long poll takes. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What no route took: its path is the client's invention, so it is no name for anything. */
const UNMATCHED = "unmatched";

/** A request and its answer, alone or in a batch. */
export interface AnsweredRequest {
  readonly method: string;
  /** The template, such as `/orders/{id}`. */
  readonly route: string;
  /** What was asked; the template of a call that came in a batch, which has no path. */
  readonly path: string;
  readonly status: number;
  /** The name of the problem that was answered. */
  readonly problem: string | undefined;
  readonly durationMs: number;
  /** The client was gone before the answer was there. */
  readonly cutOff: boolean;
  readonly requestId: string;
  readonly traceId: string;
}

/** The requests that were answered alike. */
export interface RequestSeries {
  readonly method: string;
  /** The template, such as `/orders/{id}`, never the path that was asked. */
  readonly route: string;
  readonly status: number;
  readonly seconds: Distribution;
}

/** The requests of one server, counted. */
export class RequestStats {
  readonly #series = new Map<string, RequestSeries>();

  add(method: string, route: string, status: number, durationMs: number): void {
    const key = `${status} ${method} ${route}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { method, route, status, seconds: new Distribution(SECONDS) };
      this.#series.set(key, series);
    }
    series.seconds.observe(durationMs / 1_000);
  }

  series(): Iterable<RequestSeries> {
    return this.#series.values();
  }
}

/** Tells of every request once its answer is ready, whatever the answer is. Belongs around all that may answer. */
export function observeRequests(onAnswered: (answered: AnsweredRequest) => void): Middleware {
  const templates = new Map<string, string>();
  const templateOf = (path: string): string => {
    let template = templates.get(path);
    if (template === undefined) {
      template = path.replace(/:(\w+)/g, "{$1}");
      templates.set(path, template);
    }
    return template;
  };
  return async (koa, next) => {
    const startedAt = performance.now();
    await next();
    const durationMs = performance.now() - startedAt;
    const matched: unknown = koa._matchedRoute;
    const route = typeof matched === "string" ? templateOf(matched) : UNMATCHED;
    const { method, status, path } = koa;
    const { requestId, trace, problem } = koa.state;
    const cutOff = koa.res.closed;
    onAnswered({ method, route, path, status, problem, durationMs, cutOff, requestId, traceId: trace.traceId });
  };
}
