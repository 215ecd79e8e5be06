import type { EventPositions } from "../health/event-status.ts";
import { createLocalProbe, type ModuleProbe, SILENT } from "../health/module-probe.ts";
import { createReplicatedProbe } from "../health/replicated-probe.ts";
import type { HealthDeps } from "../health/status.ts";
import type { System } from "./compose.ts";
import { portOf } from "./config.ts";
import { moduleNames, remoteNeighbours, type ServiceName, servesAll } from "./modules.ts";
import type { ServedModule } from "./serving/served-module.ts";

/** How a service finds itself and its neighbours: the gateway answers for all modules, a module for itself. */
export function healthOf(name: ServiceName, system: System, draining: () => boolean): HealthDeps {
  const { config, bus, deployment, places } = system;
  const own = createLocalProbe("gateway", portOf(config, "gateway"), () => undefined);
  return {
    probes: name === "gateway" ? [own, ...moduleNames.map((module) => probe(module, system))] : [probe(name, system)],
    busStatus: () => bus.status(),
    events: () => eventPositions(places.served),
    draining,
    topology: () => topologyOf(system),
    deployment,
  };
}

/** Looks at a module wherever it is at the moment. */
function probe(name: ServiceName, { config, bus, places }: System): ModuleProbe {
  const port = portOf(config, name);
  if (name === "gateway") throw new Error("a gateway answers for all modules");
  const place = places.of(name);
  const here = createLocalProbe(
    name,
    port,
    () => (place.isNowhere ? "stands by, for it is served elsewhere" : place.here?.store.fault()),
    () => bus.stalled(name),
  );
  const addresses = async () => (await place.there?.addresses()) ?? [];
  const there = createReplicatedProbe({ name, port, addresses });
  const present = () => (place.there === undefined ? here : there);
  return {
    name,
    port,
    get placement() {
      return present().placement;
    },
    check: async () => (place.isDown ? SILENT : present().check()),
  };
}

/** What a person reads of how the system is split, as this process knows it. */
function topologyOf({ config: { SERVE }, places }: System): string {
  const here = SERVE.filter((name) => name === "gateway" || places.of(name).isHere);
  if (servesAll(here)) return `one process, pid ${process.pid}`;
  const elsewhere = remoteNeighbours(here);
  if (elsewhere.length === 0) return `${here.join(" and ")} in one process, the others elsewhere`;
  if (here.length === 1) return `${1 + elsewhere.length} services`;
  return `${here.join(" and ")} in one process, ${elsewhere.join(" and ")} elsewhere`;
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
