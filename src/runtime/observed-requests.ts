import type { Middleware } from "koa";
import type { Logger } from "pino";
import { observeRequests, type RequestStats } from "../contract/request-stats.ts";
import type { ServiceName } from "./modules.ts";

/** What machines ask again and again. */
const PROBES: ReadonlySet<string> = new Set(["/livez", "/readyz", "/healthz", "/metrics", "/status"]);

/**
 * Counts every request of a server and tells the log of it, in one line that its trace and its request id lead to. What the
 * gateway answers is told at `info`, and at `warn` when it is a failure of ours; probes, and what only passes on a
 * request that the gateway tells of, at `debug`.
 */
export function observedRequests(service: ServiceName, stats: RequestStats, logger: Logger): Middleware {
  const lines = logger.child({}, { redact: [] }); // there is no secret in them, and to look for one takes five times as long
  return observeRequests((koa, route, durationMs) => {
    const { method, status, path } = koa;
    stats.add(method, route, status, durationMs);
    const level = levelOf(service, route, status);
    if (!lines.isLevelEnabled(level)) return;
    const { requestId: request_id, trace } = koa.state;
    const duration_ms = Math.round(durationMs * 100) / 100;
    lines[level]({ method, path, status, duration_ms, request_id, trace_id: trace.traceId }, "answered");
  });
}

function levelOf(service: ServiceName, route: string, status: number): "debug" | "info" | "warn" {
  if (service !== "gateway" || PROBES.has(route)) return "debug";
  return status >= 500 ? "warn" : "info";
}
