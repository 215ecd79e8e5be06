import type { RequestListener } from "node:http";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { systemClock } from "../base/clock.ts";
import { createOutage } from "../base/outage.ts";
import { Problem } from "../base/problem.ts";
import { traceCalls } from "../call/traced-calls.ts";
import { createGateway } from "../gateway/app.ts";
import type { Console } from "../gateway/console/console.ts";
import { createLocalProbe, createRemoteProbe, type ModuleProbe } from "../health/module-probe.ts";
import type { HealthDeps } from "../health/status.ts";
import { refuseRequest } from "../http/parser-errors.ts";
import { observeRequests } from "../http/request-stats.ts";
import { type HttpServer, listen } from "../http/server.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { compose, type System } from "./compose.ts";
import { type Config, portOf, urlSetting } from "./config.ts";
import { eventPositions } from "./event-positions.ts";
import { boundLogs, expireAnswers } from "./housekeeping.ts";
import { createModuleApp } from "./module-app.ts";
import { listeningServices, moduleNames, remoteNeighbours, type ServiceName, servesAll } from "./modules.ts";
import { createRequestLog } from "./request-log.ts";
import { version } from "./version.ts";
import { beWatched, composeConsole, exportTraces } from "./watching.ts";

/** How long the parts of a stop may take, in milliseconds; together under ten seconds. */
const FINISH_REQUESTS_MS = 6_000;
const FLUSH_EVENTS_MS = 2_000;
const IDLE_CONNECTIONS_MS = 1_000;

const LOOK_AT_BUS_MS = 50;

/** Tells how far the start has come: a step's name and what it runs. */
export type Step = <T>(name: string, work: () => T | Promise<T>) => Promise<T>;

/** A process that serves. */
export interface Running {
  /** Where each service listens. */
  readonly urls: ReadonlyMap<ServiceName, string>;
  /** Finishes what is under way, carries the events on, closes the databases. */
  stop(): Promise<void>;
}

/** What listens before it serves, so that a taken port is known before any database is touched. */
interface ReservedPort {
  readonly name: ServiceName;
  readonly server: HttpServer;
  open(handler: RequestListener): void;
}

/**
 * Starts all that the configuration says this process serves.
 * @throws Error EADDRINUSE and the like; StoreRefusal when a database cannot be used
 */
export async function start(config: Config, logger: Logger, step: Step): Promise<Running> {
  const ports = await step("listening", () => reservePorts(config));
  try {
    return await serve(config, logger, step, ports);
  } catch (error) {
    await Promise.all(ports.map((port) => port.server.stop({ idleMs: 0, timeoutMs: 0 })));
    throw error;
  }
}

async function serve(config: Config, logger: Logger, step: Step, ports: readonly ReservedPort[]): Promise<Running> {
  const system = await compose(config, logger);
  for (const { name, module } of system.served) {
    if (module.prepare !== undefined) await step(`${name}: prepared`, () => module.prepare?.());
  }
  if (config.SEED) await seed(system, step);
  await step("events", () => startBus(system));
  const redis = await connectLimiter(config, logger);
  const metrics = metricsOf(system);
  const stopExport = await exportTraces(config, logger);
  let draining = false;
  const stores = system.served.map(({ store }) => store);
  const endings = [beWatched(system), expireAnswers(stores, logger), boundLogs(stores)];
  for (const port of ports) {
    const health = healthOf(port.name, system, () => draining);
    if (port.name === "gateway") {
      const console = composeConsole(system, health);
      endings.push(console.close);
      port.open(gateway(system, health, metrics, console, redis));
    } else port.open(moduleApp(port.name, system, health, metrics));
  }
  return {
    urls: new Map(ports.map((port) => [port.name, port.server.url])),
    async stop() {
      draining = true;
      for (const end of endings) end();
      await stop(system, ports);
      redis?.disconnect();
      await stopExport();
    },
  };
}

/** Resolves how events travel, in words. A Redis need not be there yet; the log tells when it is. */
async function startBus({ bus, logger }: System): Promise<string> {
  await bus.start();
  const { kind } = bus.status();
  if (kind === "memory") return "through the memory of this process";
  const timer = setInterval(() => {
    if (bus.status().status !== "running") return;
    clearInterval(timer);
    logger.info("events: Redis is connected");
  }, LOOK_AT_BUS_MS).unref();
  return "through Redis";
}

async function stop(system: System, ports: readonly ReservedPort[]): Promise<void> {
  for (const { module } of system.served) module.drain?.();
  const idleMs = system.config.production ? IDLE_CONNECTIONS_MS : 0;
  await Promise.all(ports.map((port) => port.server.stop({ idleMs, timeoutMs: FINISH_REQUESTS_MS })));
  await system.bus.stop(FLUSH_EVENTS_MS);
  await Promise.all([...system.remotes.values()].map((remote) => remote.close()));
  for (const { module, store } of system.served) {
    await module.stop?.();
    await store.close();
  }
}

function reservePorts(config: Config): Promise<ReservedPort[]> {
  return Promise.all(listeningServices(config.SERVE).map((name) => reservePort(name, config)));
}

async function reservePort(name: ServiceName, config: Config): Promise<ReservedPort> {
  let handler = refuseWhileStarting;
  const timeouts = { headersMs: config.HEADERS_TIMEOUT, requestMs: config.REQUEST_TIMEOUT };
  const server = await listen(
    (request, response) => handler(request, response),
    config.HOST,
    portOf(config, name),
    timeouts,
  );
  return {
    name,
    server,
    open(ready) {
      handler = ready;
    },
  };
}

const refuseWhileStarting: RequestListener = (request, response) =>
  refuseRequest(request, response, new Problem("dependency-unavailable", "This process is starting."));

async function seed(system: System, step: Step): Promise<void> {
  for (const { name, module } of system.served) {
    if (module.seed !== undefined)
      await step(`${name}: seeded`, async () => (await module.seed?.()) ?? "nothing, since it has data");
  }
}

function gateway(
  system: System,
  health: HealthDeps,
  metrics: Metrics,
  console: Console,
  redis: Redis | undefined,
): RequestListener {
  const { config, callables, verifier, logger } = system;
  return createGateway({
    // In the order of the list of modules, wherever they live: the API's document follows it.
    callables: moduleNames
      .flatMap((name) => callables.get(name) ?? [])
      .map((callable) => traceCalls(callable, "gateway")),
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
    observe: observeRequests(createRequestLog("gateway", metrics.requestsOf("gateway"), logger)),
    console,
    pages: fileURLToPath(new URL("../../dist/console", import.meta.url)),
    version,
    logger,
  }).callback();
}

function moduleApp(name: ServiceName, system: System, health: HealthDeps, metrics: Metrics): RequestListener {
  const served = system.served.find((module) => module.name === name);
  if (served === undefined) throw new Error(`${name} is not served here`);
  const { config, verifier, logger } = system;
  return createModuleApp({
    served,
    verify: verifier.verify,
    callTimeoutMs: config.CALL_TIMEOUT,
    health,
    metrics,
    tell: createRequestLog(name, metrics.requestsOf(name), logger),
    logger,
  }).callback();
}

function metricsOf({ served, bus, remotes }: System): Metrics {
  return createMetrics({
    stores: served.map(({ store }) => store),
    bus,
    breakers: new Map([...remotes].map(([name, { breaker }]) => [name, breaker])),
  });
}

/** The gateway answers for all modules, a module for itself. */
function healthOf(name: ServiceName, system: System, draining: () => boolean): HealthDeps {
  const { config, bus, deployment, served } = system;
  const own = createLocalProbe("gateway", portOf(config, "gateway"), () => undefined);
  return {
    probes: name === "gateway" ? [own, ...moduleNames.map((module) => probe(module, system))] : [probe(name, system)],
    busStatus: () => bus.status(),
    events: () => eventPositions(served),
    draining,
    topology: topologyOf(config),
    deployment,
  };
}

function probe(name: ServiceName, { config, served, bus }: System): ModuleProbe {
  const port = portOf(config, name);
  const here = served.find((module) => module.name === name);
  if (here !== undefined) {
    return createLocalProbe(
      name,
      port,
      () => here.store.fault(),
      () => bus.stalled(name),
    );
  }
  const url = name === "gateway" ? undefined : config[urlSetting(name)];
  if (url === undefined) throw new Error(`${name} has no URL`);
  return createRemoteProbe({ name, port, url });
}

/** What a person reads of how the system is split, as this process knows it. */
function topologyOf({ SERVE }: Config): string {
  if (servesAll(SERVE)) return `one process, pid ${process.pid}`;
  const elsewhere = remoteNeighbours(SERVE);
  if (elsewhere.length === 0) return `${SERVE.join(" and ")} in one process, the others elsewhere`;
  if (SERVE.length === 1) return `${1 + elsewhere.length} services`;
  return `${SERVE.join(" and ")} in one process, ${elsewhere.join(" and ")} elsewhere`;
}

/** The connection of the gateway's rate limit. */
async function connectLimiter(config: Config, logger: Logger): Promise<Redis | undefined> {
  if (config.REDIS_URL === undefined || !config.SERVE.includes("gateway")) return undefined;
  const { connectRedis } = await import("../bus/redis/connection.ts");
  const outage = createOutage({ what: "The rate limit's Redis", logger, clock: systemClock });
  return connectRedis(config.REDIS_URL, "commands", { outage, keyPrefix: config.REDIS_PREFIX });
}
