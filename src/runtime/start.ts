import type { Redis } from "ioredis";
import type { Logger } from "pino";
import packageJson from "../../package.json" with { type: "json" };
import { systemClock } from "../base/clock.ts";
import { reachableUrl } from "../base/origin.ts";
import { createOutage } from "../base/outage.ts";
import { createChangingBus } from "../bus/changing-bus.ts";
import { GateTeller } from "../telemetry/gates.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import type { Presence } from "../telemetry/presence.ts";
import { startExport, startTelemetry } from "../telemetry/tracing.ts";
import { createGatewayApp, createGatewayConsole, createModuleApp } from "./apps.ts";
import { createBus, createVerifier, deploymentOf, type System } from "./compose.ts";
import type { Config } from "./config.ts";
import { openControl } from "./control/open-control.ts";
import { modulesAmong } from "./database-files.ts";
import { healthOf } from "./health.ts";
import { listeningServices, type ModuleName, remoteNeighbours, type ServiceName, servesAll } from "./modules.ts";
import { beginMoves } from "./move/begin-moves.ts";
import { Followed } from "./move/followed.ts";
import { HOME } from "./move/placement.ts";
import { readPlacement } from "./move/placement-file.ts";
import { enginesOf } from "./open-store.ts";
import { Doors } from "./serving/doors.ts";
import { ModuleHost } from "./serving/module-host.ts";
import { Places } from "./serving/places.ts";
import type { ServedModule } from "./serving/served-module.ts";
import { urlSetting } from "./settings.ts";
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
  const doors = new Doors(config);
  lifetime.defer(() => doors.stop({ idleMs: 0, timeoutMs: 0 })); // where it came no further
  // All listen before any database is touched, so that a taken port is known before that.
  await step("listening", async () => {
    for (const name of listeningServices(config.SERVE)) await doors.listen(name);
  });
  lifetime.defer(await exportTraces(config, logger));

  requireFinishedRestore(config.DATA_DIR);
  const modulesHere = modulesAmong(config.SERVE);
  const neighbours = remoteNeighbours(config.SERVE);
  const places = new Places([...modulesHere, ...neighbours], config.HTTP_CLIENT);
  const followed = await followNeighbours(new Followed(places, neighbours), config);
  const deployment = deploymentOf(places);
  const bus = createChangingBus(await createBus(config, logger, deployment));
  const surroundings = { config, logger, bus, callable: (name: ModuleName) => places.of(name).service };
  const hosts = modulesHere.map((name) => new ModuleHost(name, surroundings));
  lifetime.defer(() => endModules(hosts));
  for (const host of hosts) {
    if (!(await isToBegin(host, config))) continue;
    const { store, module } = await open(host, places);
    bus.join(store, module.subscriptions);
  }
  // Before the modules end: what still waits for a neighbour fails while there is somebody to tell.
  lifetime.defer(() => places.close());
  const verifier = createVerifier(config, places);
  const system: System = { config, logger, bus, deployment, places, verifier };

  for (const { name, module } of places.served) {
    if (module.start === undefined) continue;
    await step(`${name}: prepared`, async () => {
      await module.start?.();
      await module.inspect?.(false);
    });
  }
  if (config.SEED) await seed(system, step);
  await step("events", () => startBus(system, lifetime));

  lifetime.defer(startTelemetry({ bus, presence: () => presenceOf(system) }));
  const gates = new GateTeller(bus);
  places.onGate = (name, gate) => gates.take(name, gate);
  lifetime.defer(() => gates.close());
  for (const module of places.served) module.tidy();

  const redis = await connectLimiter(system, lifetime);
  const metrics = metricsOf(system);
  let draining = false;
  const idleMs = config.production ? IDLE_CONNECTIONS_MS : 0;
  lifetime.defer(() => doors.stop({ idleMs, timeoutMs: FINISH_REQUESTS_MS }));
  for (const name of listeningServices(config.SERVE)) {
    const door = await doors.listen(name);
    const health = healthOf(name, system, () => draining);
    if (name === "gateway") {
      const console = createGatewayConsole(system, health);
      lifetime.defer(console.close); // its streams would hold the server up
      door.open(createGatewayApp(system, health, metrics, console, redis));
    } else door.open(createModuleApp(system, name, health, metrics));
  }
  const openDoor = async (name: ModuleName, isOwn: boolean) => {
    const door = await doors.listen(name, isOwn ? 0 : undefined);
    door.open(
      createModuleApp(
        system,
        name,
        healthOf(name, system, () => draining),
        metrics,
      ),
    );
    return reachableUrl(config.HOST, Number(new URL(door.url).port));
  };
  const moves = await beginMoves({ system, hosts, followed, openDoor, urls: doors.urls }, lifetime);
  await openControl({ system, hosts, moves, urls: () => doors.urls }, lifetime);
  lifetime.defer(() => {
    draining = true;
    for (const { module } of places.served) module.drain?.();
    places.drain();
  });
  lifetime.defer(moves.goHome);
  return doors.urls;
}

/** The last that was opened first. */
async function endModules(hosts: readonly ModuleHost[]): Promise<void> {
  for (const host of hosts.toReversed()) await host.end();
}

/** Leads to where the settings say that modules are, or to where that is written. One that is moved to may learn it later. */
async function followNeighbours(followed: Followed, config: Config): Promise<Followed> {
  for (const name of followed.names) {
    const urls = config[urlSetting(name)];
    if (urls !== undefined) await followed.home(name, urls);
    await followed.look(config.DATA_DIR, name);
  }
  return followed;
}

/** Whether a module is served here from the start: where it is in a file, what is written beside that outranks the settings. */
async function isToBegin(host: ModuleHost, config: Config): Promise<boolean> {
  if (!host.isInFile) return true;
  const isHome = () => readPlacement(config.DATA_DIR, host.name).owner === HOME;
  if (config.STANDBY === true || !isHome()) return false;
  await host.lock();
  if (isHome()) return true;
  host.freeLock(); // another was named while this waited
  return false;
}

async function open(host: ModuleHost, places: Places): Promise<ServedModule> {
  const served = await host.open();
  places.of(host.name).goHere(served);
  return served;
}

function presenceOf({ config: { SERVE, ...config }, places }: System): Omit<Presence, "process"> {
  const here = SERVE.filter((name) => name === "gateway" || places.of(name).isHere);
  return { services: here, engines: enginesOf({ ...config, SERVE: here }) };
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

async function seed(system: System, step: Step): Promise<void> {
  for (const { name, module } of system.places.served) {
    if (module.seed !== undefined)
      await step(`${name}: seeded`, async () => (await module.seed?.()) ?? "nothing, since it has data");
  }
}

function metricsOf({ places, bus }: System): Metrics {
  return createMetrics({
    stores: () => places.served.map(({ store }) => store),
    bus,
    breakers: () => new Map(Array.from(places.remotes, ([name, client]) => [name, client.breakers()])),
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
  { config, logger, places }: System,
  lifetime: AsyncDisposableStack,
): Promise<Redis | undefined> {
  if (!config.SERVE.includes("gateway")) return undefined;
  if (config.REDIS_URL === undefined) {
    const mayHaveReplicas = places.served.some(({ store }) => store.lookAgainMs !== undefined);
    if (mayHaveReplicas) logger.info("rate limits are counted by this process alone, for there is no REDIS_URL");
    return undefined;
  }
  const { connectRedis } = await import("../bus/redis/connection.ts");
  const outage = createOutage({ what: "The rate limit's Redis", logger, clock: systemClock });
  const redis = connectRedis(config.REDIS_URL, "commands", { outage, keyPrefix: config.REDIS_PREFIX });
  lifetime.defer(() => redis.disconnect());
  return redis;
}
