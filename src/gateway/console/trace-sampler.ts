import { type SpanContext, TraceFlags } from "@opentelemetry/api";
import type { Context, Next } from "koa";
import { beginSpan, isSampled } from "../../base/span.ts";
import type { RouteOptions } from "../../http/routes.ts";

/** For how long after the last watcher has left requests are still traced, so that who reconnects has missed none. */
const LINGER_MS = 60_000;

/** The most requests a second that are traced without having asked for it: watching must not slow the shop down. */
const TRACES_PER_SECOND = 50;

/** Decides which requests are traced: the gateway does for everybody, since all others follow the flag of their caller. */
export interface TraceSampler {
  /** Somebody watches. Returns the way to say that they have left. */
  watch(): () => void;
  /** Middleware that forgets the flag of a stranger's `traceparent`; whether it counts is decided later. */
  readonly disregardFlag: (koa: Context, next: Next) => Promise<unknown>;
  /** Begins the span of a request, if it is to be traced. */
  readonly beginRequest: NonNullable<RouteOptions["beginRequest"]>;
}

/**
 * @param exporting all requests are traced for somebody elsewhere, but those that whoever stands in front has left out
 * @param now milliseconds of a clock that only goes forward
 */
export function createTraceSampler(exporting: boolean, now: () => number = () => performance.now()): TraceSampler {
  let watchers = 0;
  let watchedUntilMs = Number.NEGATIVE_INFINITY;
  let second = 0;
  let tracedThisSecond = 0;

  function isWatched(): boolean {
    return watchers > 0 || now() < watchedUntilMs;
  }

  function isWithinLimit(): boolean {
    const current = Math.floor(now() / 1_000);
    if (current !== second) tracedThisSecond = 0;
    second = current;
    tracedThisSecond += 1;
    return tracedThisSecond <= TRACES_PER_SECOND;
  }

  return {
    watch() {
      watchers += 1;
      return () => {
        watchers -= 1;
        watchedUntilMs = now() + LINGER_MS;
      };
    },
    disregardFlag(koa, next) {
      const trace: SpanContext = koa.state.trace;
      if (isSampled(trace)) {
        koa.state.asksToBeTraced = true;
        koa.state.trace = { ...trace, traceFlags: trace.traceFlags & ~TraceFlags.SAMPLED };
      }
      return next();
    },
    beginRequest(koa, route) {
      const trace: SpanContext = koa.state.trace;
      const asked = koa.state.asksToBeTraced === true;
      const exported = exporting && (asked || trace.isRemote !== true);
      if (!exported && !isWatched()) return undefined;
      if (!exported && !asked && !isWithinLimit()) return undefined;
      const parent =
        trace.isRemote === true ? { ...trace, traceFlags: trace.traceFlags | TraceFlags.SAMPLED } : undefined;
      const attributes = { "http.request.method": koa.method, "http.route": route };
      const span = beginSpan(parent, {
        kind: "request",
        name: `${koa.method} ${route}`,
        service: "gateway",
        attributes,
      });
      koa.state.trace = span.context;
      return span;
    },
  };
}
