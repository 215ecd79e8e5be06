import type Koa from "koa";
import type { Logger } from "pino";
import { mountBatches } from "../contract/batch-route.ts";
import { createHttpApp } from "../contract/http-app.ts";
import { mountContract, type RouteOptions, timeoutOf } from "../contract/routes.ts";
import { type HealthDeps, mountHealth } from "../gateway/status.ts";
import type { ServedModule } from "./compose.ts";

export interface ModuleAppDeps {
  readonly served: ServedModule;
  readonly verify: RouteOptions["verify"];
  readonly callTimeoutMs: number;
  readonly health: HealthDeps;
  readonly logger: Logger;
}

/** A module as a process of its own serves it: its contract, alone and in batches, and its health. */
export function createModuleApp({ served, verify, callTimeoutMs, health, logger }: ModuleAppDeps): Koa {
  return createHttpApp(
    (router) => {
      mountHealth(router, health);
      mountContract(router, served.service, { verify, timeoutMs: timeoutOf(callTimeoutMs) });
      mountBatches(router, served.service, verify);
    },
    { onUnexpected: (error, koa) => logger.error({ err: error, request_id: koa.state.requestId }, "request failed") },
  );
}
