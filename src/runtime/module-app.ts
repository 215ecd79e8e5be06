import type Koa from "koa";
import type { Logger } from "pino";
import { type HealthDeps, mountHealth } from "../health/status.ts";
import { createHttpApp } from "../http/app.ts";
import { mountBatches } from "../http/batch-route.ts";
import { type MetricsPage, mountMetrics } from "../http/metrics-route.ts";
import { type AnsweredRequest, observeRequests } from "../http/request-stats.ts";
import { mountContract, type RouteOptions, tellTime, timeoutOf } from "../http/routes.ts";
import type { ServedModule } from "./compose.ts";

export interface ModuleAppDeps {
  readonly served: ServedModule;
  readonly verify: RouteOptions["verify"];
  readonly callTimeoutMs: number;
  readonly health: HealthDeps;
  readonly metrics: MetricsPage;
  /** Told of every request, and of every call that comes in a batch. */
  readonly tell: (answered: AnsweredRequest) => void;
  readonly logger: Logger;
}

/** A module as a process of its own serves it: its contract, alone and in batches, and its health. */
export function createModuleApp(deps: ModuleAppDeps): Koa {
  const { served, verify, callTimeoutMs, health, metrics, tell, logger } = deps;
  return createHttpApp(
    (router) => {
      mountHealth(router, health);
      mountMetrics(router, metrics);
      mountContract(router, served.service, { verify, timeoutMs: timeoutOf(callTimeoutMs) });
      mountBatches(router, served.service, verify, tell);
    },
    {
      before: [observeRequests(tell), tellTime],
      onUnexpected(error, { state: { requestId, trace } }) {
        logger.error({ err: error, request_id: requestId, trace_id: trace.traceId }, "request failed");
      },
    },
  );
}
