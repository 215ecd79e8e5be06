import { asFunction, asValue, createContainer, InjectionMode } from "awilix/browser";
import type { Logger } from "pino";
import type { Bus } from "../../bus/bus.ts";
import { createDeadLetterHandlers } from "../../bus/follow/dead-letter-handlers.ts";
import { deadLettersOf } from "../../call/dead-letters.ts";
import type { Fault } from "../../call/faults.ts";
import { createService, type ServiceOptions } from "../../call/service.ts";
import { traceCalls } from "../../call/traced-calls.ts";
import { UnderWay } from "../../call/under-way.ts";
import { type Callable, type Contract, createClient } from "../../contract/contract.ts";
import type { Module, Peers } from "../../modules/module.ts";
import type { Store } from "../../store/store.ts";
import type { Config } from "../config.ts";
import { requireHeardPublishers } from "../heard-publishers.ts";
import { boundLog, expireAnswers } from "../housekeeping.ts";
import { type ModuleName, modules, settingsOf } from "../modules.ts";
import { type HeldLock, openFile, openToServe, servingOptions } from "../open-store.ts";

/** A module that lives in this process, for as long as it does. */
export interface ServedModule {
  readonly name: ModuleName;
  readonly store: Store;
  readonly module: Module<Contract>;
  readonly service: Callable;
  /** The operations on its dead letters. */
  readonly letters: Callable;
  /** Those that are injected into its operations: changes count from the next call on. */
  readonly faults: Map<string, Fault>;
  /** The calls of either that are being served. */
  readonly underWay: UnderWay;
  /** Keeps its data from growing without end, until it closes. To be called once, when it serves. */
  tidy(): void;
  /** Frees what it holds, and closes its database. Nobody may call it any more. The lock is whose it was before. */
  close(): Promise<void>;
}

export interface ModuleSurroundings {
  readonly config: Config;
  readonly logger: Logger;
  /** By which its replicas tell each other. */
  readonly bus: Pick<Bus, "broadcast" | "onBroadcast">;
  /** Whom it may call, wherever they are. */
  callable(name: ModuleName): Callable;
}

/**
 * Opens a module's database and makes the module.
 * @param lock of its file, where that is in a file; it stays held when the module closes
 * @throws Refusal when the database cannot be used, or the module is not as it is listed
 */
export async function openModule(
  name: ModuleName,
  surroundings: ModuleSurroundings,
  lock?: HeldLock,
): Promise<ServedModule> {
  const lifetime = new AsyncDisposableStack();
  try {
    return await open(name, surroundings, lock, lifetime);
  } catch (error) {
    await lifetime.disposeAsync();
    throw error;
  }
}

async function open(
  name: ModuleName,
  { config, logger, bus, callable }: ModuleSurroundings,
  lock: HeldLock | undefined,
  lifetime: AsyncDisposableStack,
): Promise<ServedModule> {
  const log = logger.child({ module: name });
  const store =
    lock === undefined
      ? await openToServe(name, config, logger)
      : openFile(name, config, lock, servingOptions(name, config, logger));
  lifetime.defer(() => store.close());
  const peers = peersOf(name, bus, lifetime);
  const parts = { store, logger: log, now: Date.now, settings: settingsOf(name, config), peers };
  const module = await build(name, parts, callable);
  lifetime.defer(() => module.stop?.());
  requireHeardPublishers(name, modules[name].hears, module.subscriptions);
  const underWay = new UnderWay();
  const faults = new Map(config.FAULTS);
  const options: ServiceOptions = {
    answers: store.answers,
    faults,
    underWay,
    onUnexpected(operation, error, ctx) {
      log.error({ err: error, operation, request_id: ctx.requestId, trace_id: ctx.trace.traceId }, "operation failed");
    },
  };
  const service = createService<Contract>(modules[name].contract, module.handlers, options);
  const handlers = createDeadLetterHandlers({ store, subscriptions: module.subscriptions, faults: config.FAULTS });
  return {
    name,
    store,
    module,
    service,
    letters: createService(deadLettersOf(name), handlers, options),
    faults,
    underWay,
    tidy() {
      lifetime.defer(expireAnswers(store, logger));
      lifetime.defer(boundLog(store));
    },
    close: () => lifetime.disposeAsync(),
  };
}

function peersOf(name: ModuleName, bus: Pick<Bus, "broadcast" | "onBroadcast">, lifetime: AsyncDisposableStack): Peers {
  const topic = `replicas of ${name}`;
  return {
    tell: (message) => bus.broadcast(topic, message),
    onTold: (listener) => lifetime.defer(bus.onBroadcast(topic, listener)),
  };
}

/** One container per module: what is not registered in it, the module cannot reach. */
async function build(
  name: ModuleName,
  parts: Readonly<Record<string, unknown>>,
  callable: ModuleSurroundings["callable"],
): Promise<Module<Contract>> {
  const container = createContainer<{ module: Module<Contract> }>({ injectionMode: InjectionMode.PROXY, strict: true });
  for (const [key, part] of Object.entries(parts)) container.register(key, asValue(part));
  for (const neighbour of modules[name].calls) {
    const callee = traceCalls(callable(neighbour), name);
    container.register(neighbour, asValue(createClient(modules[neighbour].contract, callee)));
  }
  const factory = (await modules[name].load()) as (deps: object) => Module<Contract>;
  container.register("module", asFunction(factory).singleton());
  return container.resolve("module");
}
