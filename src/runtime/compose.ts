import { asFunction, asValue, createContainer, InjectionMode } from "awilix/browser";
import type { Logger } from "pino";
import { traceOf } from "../base/trace.ts";
import type { Bus } from "../bus/bus.ts";
import { createDeadLetterHandlers } from "../bus/follow/dead-letter-handlers.ts";
import { createAddresses } from "../call/addresses.ts";
import { deadLettersOf } from "../call/dead-letters.ts";
import type { Fault } from "../call/faults.ts";
import type { HttpCallable } from "../call/http-client.ts";
import { createService, type ServiceOptions } from "../call/service.ts";
import { traceCalls } from "../call/traced-calls.ts";
import type { CreateTransport } from "../call/transport.ts";
import type { CallContext } from "../contract/context.ts";
import { type Callable, type Contract, createClient } from "../contract/contract.ts";
import { createTokenVerifier, type TokenVerifier } from "../identity/token-verifier.ts";
import type { Module, Peers } from "../modules/module.ts";
import type { Store } from "../store/store.ts";
import type { Config } from "./config.ts";
import { learnDeployment, nameDeployment } from "./deployment.ts";
import { requireHeardPublishers } from "./heard-publishers.ts";
import { type ModuleName, moduleNames, modules, remoteNeighbours, settingsOf, subscribersOf } from "./modules.ts";
import { openToServe } from "./open-store.ts";
import { urlSetting } from "./settings.ts";

/** A module that lives in this process. */
export interface ServedModule {
  readonly name: ModuleName;
  readonly store: Store;
  readonly module: Module<Contract>;
  readonly service: Callable;
  /** The operations on its dead letters. */
  readonly letters: Callable;
  /** Those that are injected into its operations: changes count from the next call on. */
  readonly faults: Map<string, Fault>;
}

/** The parts of this process, for those that answer for all of them. */
export interface System {
  readonly config: Config;
  readonly logger: Logger;
  readonly bus: Bus;
  /** Names the deployment, undefined while that is not known. */
  readonly deployment: () => string | undefined;
  readonly served: readonly ServedModule[];
  /** Every module that this process may call, wherever it is. */
  readonly callables: ReadonlyMap<ModuleName, Callable>;
  readonly verifier: TokenVerifier;
  /** The clients of those modules that are elsewhere. */
  readonly remotes: ReadonlyMap<ModuleName, HttpCallable>;
}

/** The context of a call that nobody outside asked for. */
export function ownContext(timeoutMs: number): CallContext {
  return {
    principal: null,
    token: null,
    deadline: performance.now() + timeoutMs,
    requestId: "-",
    trace: traceOf(undefined),
  };
}

/**
 * Opens a module's database and makes the module.
 * @param callables whom it may call, wherever they are
 * @param bus by which its replicas tell each other
 * @param lifetime to which the ends of both are given
 * @throws Refusal when the database cannot be used, or the module is not as it is listed
 */
export async function createModule(
  name: ModuleName,
  config: Config,
  logger: Logger,
  callables: ReadonlyMap<ModuleName, Callable>,
  bus: Pick<Bus, "broadcast" | "onBroadcast">,
  lifetime: AsyncDisposableStack,
): Promise<ServedModule> {
  const log = logger.child({ module: name });
  const store = await openToServe(name, config, logger);
  lifetime.defer(() => store.close());
  const module = await build(
    name,
    { store, logger: log, now: Date.now, settings: settingsOf(name, config), peers: peersOf(name, bus) },
    callables,
  );
  lifetime.defer(() => module.stop?.());
  requireHeardPublishers(name, modules[name].hears, module.subscriptions);
  const faults = new Map(config.FAULTS);
  const options: ServiceOptions = {
    answers: store.answers,
    faults,
    onUnexpected(operation, error, ctx) {
      log.error({ err: error, operation, request_id: ctx.requestId, trace_id: ctx.trace.traceId }, "operation failed");
    },
  };
  const service = createService<Contract>(modules[name].contract, module.handlers, options);
  const handlers = createDeadLetterHandlers({ store, subscriptions: module.subscriptions, faults: config.FAULTS });
  return { name, store, module, service, letters: createService(deadLettersOf(name), handlers, options), faults };
}

function peersOf(name: ModuleName, bus: Pick<Bus, "broadcast" | "onBroadcast">): Peers {
  const topic = `replicas of ${name}`;
  return {
    tell: (message) => bus.broadcast(topic, message),
    onTold: (listener) => void bus.onBroadcast(topic, listener),
  };
}

/** One container per module: what is not registered in it, the module cannot reach. */
async function build(
  name: ModuleName,
  parts: Readonly<Record<string, unknown>>,
  callables: ReadonlyMap<ModuleName, Callable>,
): Promise<Module<Contract>> {
  const container = createContainer<{ module: Module<Contract> }>({ injectionMode: InjectionMode.PROXY, strict: true });
  for (const [key, part] of Object.entries(parts)) container.register(key, asValue(part));
  for (const neighbour of modules[name].calls) {
    const callee = traceCalls(callable(callables, neighbour), name);
    container.register(neighbour, asValue(createClient(modules[neighbour].contract, callee)));
  }
  const factory = (await modules[name].load()) as (deps: object) => Module<Contract>;
  container.register("module", asFunction(factory).singleton());
  return container.resolve("module");
}

/** Verifies tokens by the keys of users, wherever that is. */
export function createVerifier(config: Config, callables: ReadonlyMap<ModuleName, Callable>): TokenVerifier {
  const users = createClient(modules.users.contract, callable(callables, "users"));
  return createTokenVerifier({
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    fetchKeys: () => users.getJwks({}, ownContext(config.CALL_TIMEOUT)),
  });
}

/** Whoever serves users names the deployment, all others ask there. */
export function deploymentOf({ served, remotes }: Pick<System, "served" | "remotes">): System["deployment"] {
  const users = remotes.get("users");
  if (users !== undefined) return learnDeployment(users.addresses);
  return () => served.filter(({ name }) => name === "users").map(({ store }) => nameDeployment(store.seat))[0];
}

/** In memory where no Redis is named, which needs all modules in this process. */
export async function createBus(config: Config, logger: Logger, deployment: System["deployment"]): Promise<Bus> {
  const faults = { faults: config.FAULTS };
  if (config.REDIS_URL === undefined) {
    const { createMemoryBus } = await import("../bus/memory/bus.ts");
    return createMemoryBus({ logger, ...faults });
  }
  const { createRedisBus } = await import("../bus/redis/bus.ts");
  const subscribers = Object.fromEntries(moduleNames.map((name) => [name, subscribersOf(name)]));
  const place = { url: config.REDIS_URL, keyPrefix: config.REDIS_PREFIX, deployment };
  return createRedisBus({ ...place, logger, subscribers, ...faults });
}

/** Makes the clients of what is served elsewhere. */
export async function connectRemotes(config: Config): Promise<Map<ModuleName, HttpCallable>> {
  const remotes = new Map<ModuleName, HttpCallable>();
  for (const name of remoteNeighbours(config.SERVE)) {
    const { createHttpCallable } = await import("../call/http-client.ts");
    const urls = config[urlSetting(name)];
    if (urls === undefined) throw new Error(`${name} has no URL`);
    const transport = await loadTransport(config.HTTP_CLIENT);
    remotes.set(name, createHttpCallable(modules[name].contract, createAddresses(urls), transport));
  }
  return remotes;
}

async function loadTransport(library: Config["HTTP_CLIENT"]): Promise<CreateTransport> {
  if (library === "undici") return (await import("../call/transports/undici.ts")).createUndiciTransport;
  return (await import("../call/transports/node-fetch.ts")).createNodeFetchTransport;
}

/** @throws Error when this process has no use for the module: its own modules do not call it */
export function callable(callables: ReadonlyMap<ModuleName, Callable>, name: ModuleName): Callable {
  const found = callables.get(name);
  if (found === undefined) throw new Error(`${name} is neither served here nor reachable`);
  return found;
}
