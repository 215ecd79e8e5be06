import type { Redis } from "ioredis";
import type Koa from "koa";
import type { Context } from "koa";
import type { Logger } from "pino";
import { problemTypes } from "../base/problem-types.ts";
import type { Principal } from "../contract/context.ts";
import type { Budget, Callable, Operation } from "../contract/contract.ts";
import { type HealthDeps, mountHealth } from "../health/status.ts";
import { createHttpApp } from "../http/app.ts";
import { type MetricsPage, mountMetrics } from "../http/metrics-route.ts";
import { mountContract } from "../http/routes.ts";
import { securityHeaders } from "../http/security-headers.ts";
import type { VerifyToken } from "../identity/access.ts";
import { mountBuiltPages } from "./built-pages.ts";
import { clientAddress } from "./client-address.ts";
import { compressResponses } from "./compression.ts";
import type { Console } from "./console/console.ts";
import { allowOrigins } from "./cors.ts";
import { gatherDeadLetters } from "./dead-letters.ts";
import { mountDocuments } from "./documents.ts";
import { mountProblemPages } from "./problem-pages.ts";
import { createRateLimit, type RateLimit, rateLimited, writeRateHeaders } from "./rate-limit.ts";
import type { RateLimitSetting } from "./rate-limit-setting.ts";
import { mountSlashRedirects } from "./slash-redirects.ts";

/** Where what the gateway does is counted, and shown. */
export interface GatewayMetrics extends MetricsPage {
  countRateDecision(limit: string, allowed: boolean): void;
}

export interface GatewayDeps {
  /** Every module, wherever it is. */
  readonly callables: readonly Callable[];
  /** The dead letters of each. */
  readonly letters: readonly Callable[];
  readonly verify: VerifyToken;
  readonly settings: {
    readonly callTimeoutMs: number;
    readonly rateLimit: RateLimitSetting;
    readonly budgets: Readonly<Record<Budget, RateLimitSetting>>;
    readonly trustedProxies: number;
    /** The origins of pages elsewhere that may use the API. */
    readonly corsOrigins: readonly string[];
  };
  /** Where requests are counted; in the memory of this process if left out. */
  readonly redis?: Redis | undefined;
  readonly health: HealthDeps;
  readonly metrics: GatewayMetrics;
  /** Told of every request. */
  readonly observe: Koa.Middleware;
  readonly console: Console;
  /** The folder of the built pages. */
  readonly pages: string;
  readonly version: string;
  readonly logger: Logger;
}

/** The public face: every operation of the contracts, behind rate limits, with health, status and the API's document. */
export function createGateway(deps: GatewayDeps): Koa {
  const { settings, logger } = deps;
  const letters = gatherDeadLetters(deps.letters, {
    onUnexpected: (operation, error, ctx) =>
      logger.error({ err: error, operation, request_id: ctx.requestId }, "operation failed"),
  });
  const callables = [...deps.callables, letters];
  const admit = createAdmission(deps); // one for all: what a caller asks of different modules counts together
  return createHttpApp(
    (router) => {
      mountHealth(router, deps.health);
      mountMetrics(router, deps.metrics);
      deps.console.mount(router);
      const contracts = callables.map(({ contract }) => contract);
      mountDocuments(router, contracts, deps.version);
      mountBuiltPages(router, deps.pages);
      mountProblemPages(router, problemTypes(...contracts.map(({ problems }) => problems)));
      mountSlashRedirects(router);
      for (const callable of callables) {
        mountContract(router, callable, {
          verify: deps.verify,
          beginRequest: deps.console.beginRequest,
          admit,
          timeoutMs: (_koa, extraTimeMs) => settings.callTimeoutMs + extraTimeMs,
        });
      }
    },
    {
      before: [
        deps.observe,
        deps.console.disregardFlag,
        securityHeaders,
        ...allowOrigins(settings.corsOrigins),
        compressResponses,
      ],
      onUnexpected(error, { state: { requestId, trace } }) {
        logger.error({ err: error, request_id: requestId, trace_id: trace.traceId }, "request failed");
      },
    },
  );
}

/**
 * Counts every request of an operation, signed-in callers by user, others by address. Those with a budget of their own count
 * there by address, always: whoever has a token would have a second budget otherwise.
 */
function createAdmission({ settings, redis, metrics, console, logger }: GatewayDeps) {
  const limitOf = (limit: RateLimitSetting, name: string): RateLimit | undefined =>
    limit === "off" ? undefined : createRateLimit({ limit, name, redis, logger });
  const everything = limitOf(settings.rateLimit, "default");
  const budgets = {
    "sign-in": limitOf(settings.budgets["sign-in"], "sign-in"),
    refresh: limitOf(settings.budgets.refresh, "refresh"),
  };
  return async (koa: Context, { budget }: Operation, principal: Principal | null): Promise<void> => {
    const address = `address:${clientAddress(koa.req, settings.trustedProxies)}`;
    if (!console.isTrickle(koa))
      await count(koa, everything, principal === null ? address : `user:${principal.id}`, metrics);
    if (budget !== undefined) await count(koa, budgets[budget], address, metrics);
  };
}

async function count(koa: Context, limit: RateLimit | undefined, id: string, metrics: GatewayMetrics): Promise<void> {
  if (limit === undefined) return;
  const state = await limit.count(id);
  metrics.countRateDecision(state.name, state.allowed);
  writeRateHeaders(koa, state);
  if (!state.allowed) throw rateLimited(state);
}
