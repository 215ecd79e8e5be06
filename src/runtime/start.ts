import type { RequestListener } from "node:http";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import packageJson from "../../package.json" with { type: "json" };
import { systemClock } from "../base/clock.ts";
import { createOutage } from "../base/outage.ts";
import { Problem } from "../base/problem.ts";
import type { Callable } from "../contract/contract.ts";
import { refuseRequest } from "../http/parser-errors.ts";
import { type HttpServer, listen } from "../http/server.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { startExport, startTelemetry } from "../telemetry/tracing.ts";
import { createGatewayApp, createGatewayConsole, createModuleApp } from "./apps.ts";
import {
  connectRemotes,
  createBus,
  createModule,
  createVerifier,
  deploymentOf,
  type ServedModule,
  type System,
} from "./compose.ts";
import { type Config, portOf } from "./config.ts";
import { openControl } from "./control/open-control.ts";
import { modulesAmong } from "./database-files.ts";
import { healthOf } from "./health.ts";
import { boundLogs, expireAnswers } from "./housekeeping.ts";
import { listeningServices, type ModuleName, type ServiceName, servesAll } from "./modules.ts";
import { enginesOf } from "./open-store.ts";
import { requireFinishedRestore } from "./unfinished-restore.ts";

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
 * @throws Error EADDRINUSE and the like; Refusal when a database cannot be used, or a module refuses to start
 */
export async function start(config: Config, logger: Logger, step: Step): Promise<Running> {
  const lifetime = new AsyncDisposableStack();
  try {
    const urls = await begin(config, logger, step, lifetime);
    return { urls, stop: () => lifetime.disposeAsync() };
  } catch (error) {
    await lifetime
      .disposeAsync()
      .catch((fault: unknown) => logger.warn({ err: fault }, "not all that began was ended"));
    throw error;
  }
}

/**
 * The composition root: decides, from the configuration alone, what lives in this process, and gives everybody a client of
 * the same type of what is elsewhere.
 * @param lifetime to which each part gives its end as it begins: they are called in reverse
 */
async function begin(
  config: Config,
  logger: Logger,
  step: Step,
  lifetime: AsyncDisposableStack,
): Promise<Running["urls"]> {
  const ports = await step("listening", () => reservePorts(config, lifetime));
  lifetime.defer(await exportTraces(config, logger));

  requireFinishedRestore(config.DATA_DIR);
  const remotes = await connectRemotes(config);
  const callables = new Map<ModuleName, Callable>(remotes);
  const served: ServedModule[] = [];
  const deployment = deploymentOf({ served, remotes });
  const bus = await createBus(config, logger, deployment);
  for (const name of modulesAmong(config.SERVE)) {
    const part = await createModule(name, config, logger, callables, bus, lifetime);
    callables.set(name, part.service);
    bus.join(part.store, part.module.subscriptions);
    served.push(part);
  }
  // Before the modules end: what still waits for a neighbour fails while there is somebody to tell.
  lifetime.defer(async () => void (await Promise.all([...remotes.values()].map((remote) => remote.close()))));
  const verifier = createVerifier(config, callables);
  const system: System = { config, logger, bus, deployment, served, callables, verifier, remotes };

  for (const { name, module } of served) {
    if (module.start !== undefined) await step(`${name}: prepared`, () => module.start?.());
  }
  if (config.SEED) await seed(system, step);
  await step("events", () => startBus(system, lifetime));

  const stores = served.map(({ store }) => store);
  lifetime.defer(
    startTelemetry({ bus, presence: () => ({ services: [...config.SERVE], engines: enginesOf(config) }) }),
  );
  lifetime.defer(expireAnswers(stores, logger));
  lifetime.defer(boundLogs(stores));

  const redis = await connectLimiter(system, lifetime);
  const metrics = metricsOf(system);
  let draining = false;
  const idleMs = config.production ? IDLE_CONNECTIONS_MS : 0;
  lifetime.defer(() => stopServers(ports, { idleMs, timeoutMs: FINISH_REQUESTS_MS }));
  for (const { name, open } of ports) {
    const health = healthOf(name, system, () => draining);
    if (name === "gateway") {
      const console = createGatewayConsole(system, health);
      lifetime.defer(console.close); // its streams would hold the server up
      open(createGatewayApp(system, health, metrics, console, redis));
    } else open(createModuleApp(system, name, health, metrics));
  }
  const urls = new Map(ports.map(({ name, server }) => [name, server.url]));
  await openControl(system, urls, lifetime);
  lifetime.defer(() => {
    draining = true;
    for (const { module } of served) module.drain?.();
    for (const remote of remotes.values()) remote.drain();
  });
  return urls;
}

/** Resolves how events travel, in words. A Redis need not be there yet; the log tells when it is. */
async function startBus({ bus, logger }: System, lifetime: AsyncDisposableStack): Promise<string> {
  lifetime.defer(() => bus.stop(FLUSH_EVENTS_MS));
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

/** All listen before any database is touched, so that a taken port is known before that. */
async function reservePorts(config: Config, lifetime: AsyncDisposableStack): Promise<ReservedPort[]> {
  const ports: ReservedPort[] = [];
  lifetime.defer(() => stopServers(ports, { idleMs: 0, timeoutMs: 0 })); // where it came no further
  for (const name of listeningServices(config.SERVE)) ports.push(await reservePort(name, config));
  return ports;
}

async function stopServers(ports: readonly ReservedPort[], times: Parameters<HttpServer["stop"]>[0]): Promise<void> {
  await Promise.all(ports.map(({ server }) => server.stop(times)));
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

function metricsOf({ served, bus, remotes }: System): Metrics {
  return createMetrics({
    stores: served.map(({ store }) => store),
    bus,
    breakers: new Map([...remotes].map(([name, { breakers }]) => [name, breakers])),
  });
}

/** Exports traces, if the settings say where to. Resolves the way to stop it. */
async function exportTraces({ SERVE, tracesUrl }: Config, logger: Logger): Promise<() => Promise<void>> {
  if (tracesUrl === undefined) return async () => {};
  const serviceName = servesAll(SERVE) ? "quartet" : `quartet-${SERVE.join("-")}`;
  return startExport({ url: tracesUrl, serviceName, version: packageJson.version }, (message) => logger.warn(message));
}

/** The connection of the gateway's rate limit. Where there is none, and there may be others like this process, it says so. */
async function connectLimiter(
  { config, logger, served }: System,
  lifetime: AsyncDisposableStack,
): Promise<Redis | undefined> {
  if (!config.SERVE.includes("gateway")) return undefined;
  if (config.REDIS_URL === undefined) {
    const mayHaveReplicas = served.some(({ store }) => store.lookAgainMs !== undefined);
    if (mayHaveReplicas) logger.info("rate limits are counted by this process alone, for there is no REDIS_URL");
    return undefined;
  }
  const { connectRedis } = await import("../bus/redis/connection.ts");
  const outage = createOutage({ what: "The rate limit's Redis", logger, clock: systemClock });
  const redis = connectRedis(config.REDIS_URL, "commands", { outage, keyPrefix: config.REDIS_PREFIX });
  lifetime.defer(() => redis.disconnect());
  return redis;
}
