import type { Logger } from "pino";
import type { AnsweredRequest, RequestStats } from "../http/request-stats.ts";
import type { ServiceName } from "./modules.ts";

/** What machines ask again and again, and what only carries calls that are told of one by one. */
const QUIET: ReadonlySet<string> = new Set(["/livez", "/readyz", "/healthz", "/metrics", "/status", "/.calls"]);

/**
 * Counts every request that a service answers and tells the log of it, in one line that its trace and its request id lead
 * to: at `info`, at `warn` when it is a failure of ours, at `debug` when it is a probe.
 */
export function createRequestLog(
  service: ServiceName,
  stats: RequestStats,
  logger: Logger,
): (answered: AnsweredRequest) => void {
  // There is no secret in them, and to look for one takes five times as long.
  const lines = logger.child({ service }, { redact: [] });
  return ({ method, route, path, status, durationMs, requestId, traceId, problem }) => {
    stats.add(method, route, status, durationMs);
    const level = QUIET.has(route) ? "debug" : status >= 500 ? "warn" : "info";
    if (!lines.isLevelEnabled(level)) return;
    const duration_ms = Math.round(durationMs * 100) / 100;
    lines[level]({ method, path, status, problem, duration_ms, request_id: requestId, trace_id: traceId }, "answered");
  };
}
