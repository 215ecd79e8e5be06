import type { RequestListener } from "node:http";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import type { Context } from "koa";
import packageJson from "../../package.json" with { type: "json" };
import { traceCalls } from "../call/traced-calls.ts";
import { type Callable, createClient, type Operation } from "../contract/contract.ts";
import { gatherControls } from "../control/gathered-controls.ts";
import { createGateway } from "../gateway/app.ts";
import { type Console, createConsole } from "../gateway/console/console.ts";
import { type HealthDeps, mountHealth } from "../health/status.ts";
import { createHttpApp } from "../http/app.ts";
import { mountBatches } from "../http/batch-route.ts";
import { mountMetrics } from "../http/metrics-route.ts";
import { observeRequests } from "../http/request-stats.ts";
import { mountContract, tellTime, timeoutOf } from "../http/routes.ts";
import { DEMO_ADMIN } from "../modules/users/index.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { ownContext, type System } from "./compose.ts";
import { type ModuleName, moduleNames, modules } from "./modules.ts";
import { createRequestLog } from "./request-log.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A module as other processes find it here, by its door: its contract and its dead letters, alone and in batches, and its health. */
export function createModuleApp(
  { config, places, verifier, logger }: System,
  name: ModuleName,
  health: HealthDeps,
  metrics: Metrics,
): RequestListener {
  const { service, letters } = places.of(name);
  const callables = [service, letters];
  const { verify } = verifier;
  const tell = createRequestLog(name, metrics.requestsOf(name), logger);
  return createHttpApp(
    (router) => {
      mountHealth(router, health);
      mountMetrics(router, metrics);
      for (const each of callables) mountContract(router, each, { verify, timeoutMs: timeoutOf(config.CALL_TIMEOUT) });
      mountBatches(router, callables, verify, tell);
    },
    {
      before: [observeRequests(tell), tellTime],
      onUnexpected(error, { state: { requestId, trace } }) {
        logger.error({ err: error, request_id: requestId, trace_id: trace.traceId }, "request failed");
      },
    },
  ).callback();
}

/**
 * The gateway, with the console before whatever it is given.
 * @param redis where its rate limits count, in memory if there is none
 */
export function createGatewayApp(
  { config, places, verifier, logger }: System,
  health: HealthDeps,
  metrics: Metrics,
  console: Console,
  redis: Redis | undefined,
): RequestListener {
  // In the order of the list of modules, wherever they live: the API's document follows it.
  const all = moduleNames.map((name) => places.of(name));
  const traced = (callable: Callable) => traceCalls(callable, "gateway");
  const log = createRequestLog("gateway", metrics.requestsOf("gateway"), logger);
  return createGateway({
    callables: all.map(({ service }) => traced(service)),
    letters: all.map(({ letters }) => traced(letters)),
    verify: verifier.verify,
    settings: {
      callTimeoutMs: config.CALL_TIMEOUT,
      rateLimit: config.RATE_LIMIT,
      budgets: { "sign-in": config.AUTH_RATE_LIMIT, refresh: config.REFRESH_RATE_LIMIT },
      trustedProxies: config.TRUSTED_PROXIES,
      corsOrigins: config.CORS_ORIGINS ?? [],
    },
    redis,
    health,
    metrics,
    observe: observeRequests((answered) => {
      log(answered);
      console.count(answered);
    }),
    console,
    pages: `${ROOT}/dist/console`,
    version: packageJson.version,
    logger,
  }).callback();
}

/** The console of a gateway. One click signs in while trying out only: with demo data, and by name in development. */
export function createGatewayConsole({ config, bus, verifier, places }: System, health: HealthDeps): Console {
  const users = createClient(modules.users.contract, places.of("users").service);
  const signInAs = (admin: typeof DEMO_ADMIN & object) => (koa: Context) =>
    users.loginUser(admin, { ...ownContext(config.CALL_TIMEOUT), requestId: koa.state.requestId });
  const isTryingOut = config.NODE_ENV === "development" && config.SEED;
  const operations = moduleNames.flatMap((name) => Object.values<Operation>(modules[name].contract.operations));
  const routes = new Set(operations.flatMap(({ path, aliases = [] }) => [path, ...aliases]));
  return createConsole({
    bus,
    health,
    verify: verifier.verify,
    signIn: isTryingOut && DEMO_ADMIN !== undefined ? signInAs(DEMO_ADMIN) : undefined,
    version: packageJson.version,
    environment: config.NODE_ENV,
    exporting: config.tracesUrl !== undefined,
    isOperation: (route) => routes.has(route),
    controls: config.NODE_ENV === "development" ? gatherControls(config.DATA_DIR) : undefined,
    root: ROOT,
  });
}
