import type { EventPositions } from "../health/event-status.ts";
import { createLocalProbe, type ModuleProbe } from "../health/module-probe.ts";
import { createReplicatedProbe } from "../health/replicated-probe.ts";
import type { HealthDeps } from "../health/status.ts";
import type { ServedModule, System } from "./compose.ts";
import { type Config, portOf } from "./config.ts";
import { moduleNames, remoteNeighbours, type ServiceName, servesAll } from "./modules.ts";

/** How a service finds itself and its neighbours: the gateway answers for all modules, a module for itself. */
export function healthOf(name: ServiceName, system: System, draining: () => boolean): HealthDeps {
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

function probe(name: ServiceName, { config, served, bus, remotes }: System): ModuleProbe {
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
  const remote = name === "gateway" ? undefined : remotes.get(name);
  if (remote === undefined) throw new Error(`${name} is neither here nor elsewhere`);
  return createReplicatedProbe({ name, port, addresses: remote.addresses });
}

/** What a person reads of how the system is split, as this process knows it. */
function topologyOf({ SERVE }: Config): string {
  if (servesAll(SERVE)) return `one process, pid ${process.pid}`;
  const elsewhere = remoteNeighbours(SERVE);
  if (elsewhere.length === 0) return `${SERVE.join(" and ")} in one process, the others elsewhere`;
  if (SERVE.length === 1) return `${1 + elsewhere.length} services`;
  return `${SERVE.join(" and ")} in one process, ${elsewhere.join(" and ")} elsewhere`;
}

/** How far the modules of this process are with their events, without those whose database cannot be read now. */
async function eventPositions(served: readonly ServedModule[]): Promise<EventPositions> {
  const published: Record<string, number> = {};
  const applied: Record<string, Record<string, number>> = {};
  for (const module of served) {
    try {
      published[module.name] = (await module.store.log.head())?.seq ?? 0;
      const reached = await positionsOf(module);
      if (reached.length > 0) applied[module.name] = Object.fromEntries(reached);
    } catch {
      // How they are is told by their light; nothing is known of how far they are.
    }
  }
  return { published, applied };
}

function positionsOf({ store, module }: ServedModule): Promise<[publisher: string, number: number][]> {
  return store.read(function* (reading) {
    const reached: [publisher: string, number: number][] = [];
    for (const { publisher } of module.subscriptions) {
      const [last] = yield* store.cursors.positions(reading, publisher);
      reached.push([publisher, last?.seq ?? 0]);
    }
    return reached;
  });
}
