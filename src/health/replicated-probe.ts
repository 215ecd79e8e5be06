import type { Addresses } from "../call/addresses.ts";
import { type EventStatus, gatherBus, newestPositions } from "./event-status.ts";
import { createRemoteProbe, type ModuleHealth, type ModuleProbe, type RemoteProbeOptions } from "./module-probe.ts";

export interface ReplicatedProbeOptions extends Omit<RemoteProbeOptions, "url"> {
  /** Where the processes of the module listen. */
  readonly addresses: Addresses;
}

/** Probes a module of other processes: each by a probe of its own. It is ready as long as one of them is. */
export function createReplicatedProbe({ addresses, ...options }: ReplicatedProbeOptions): ModuleProbe {
  const probes = new Map<string, ModuleProbe>();

  function probeOf(url: string): ModuleProbe {
    const probe = probes.get(url) ?? createRemoteProbe({ ...options, url });
    probes.set(url, probe);
    return probe;
  }

  return {
    name: options.name,
    port: options.port,
    placement: "remote",
    async check() {
      const urls = await addresses();
      for (const url of probes.keys()) if (!urls.includes(url)) probes.delete(url);
      const healths = await Promise.all(urls.map(async (url): Promise<Answer> => [url, await probeOf(url).check()]));
      const [only] = healths;
      return healths.length === 1 && only !== undefined ? only[1] : gather(healths);
    },
  };
}

type Answer = readonly [address: string, health: ModuleHealth];

function gather(answers: readonly Answer[]): ModuleHealth {
  const healths = answers.map(([, health]) => health);
  const ready = healths.filter((health) => health.ready);
  const told = toldByAll(answers);
  const troubles = answers.flatMap(([address, { reason, stall }]) => {
    const trouble = reason ?? stall;
    return trouble === undefined ? [] : [`${address} ${trouble}`];
  });
  const trouble = troubles.length === 0 ? {} : { [ready.length > 0 ? "stall" : "reason"]: troubles.join("; ") };
  return {
    ready: ready.length > 0,
    reachable: healths.some(({ reachable }) => reachable),
    latencyMs: Math.min(...(ready.length > 0 ? ready : healths).map(({ latencyMs }) => latencyMs)),
    ...trouble,
    ...(told === undefined ? {} : { told }),
    replicas: answers.map(([address, { told: _, ...health }]) => ({ ...health, address })),
  };
}

/** They read the same database, one a moment after the other. */
function toldByAll(answers: readonly Answer[]): EventStatus | undefined {
  const told = answers.flatMap(([address, { told }]) => (told === undefined ? [] : [[address, told] as const]));
  const [first, ...others] = told;
  if (first === undefined) return undefined;
  return {
    bus: gatherBus(
      first[1].bus,
      others.map(([address, { bus }]) => [address, bus]),
    ),
    events: newestPositions(told.map(([, { events }]) => events)),
  };
}
