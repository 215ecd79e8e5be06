import { isRecord } from "./json.ts";
import { modules } from "./modules.ts";
import { type Engines, type Place, type ServiceName, serviceNames } from "./places.ts";

/** What the lights and the frames show: the body of /status, and what the stream adds to it. */
export interface Status {
  readonly topology: string;
  readonly modules: readonly ModuleStatus[];
  readonly bus: BusStatus;
  /** Which process serves what, as far as it answers. */
  readonly processes?: Readonly<Partial<Record<ServiceName, string>>>;
  /** What keeps the data of each module that answers. */
  readonly engines?: Engines;
  /** Subscriber → publisher → events not yet applied. */
  readonly backlog?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface ModuleStatus {
  readonly name: string;
  readonly port: number;
  readonly placement: "in-process" | "remote";
  readonly status: Light;
  readonly latency_ms: number;
  readonly detail: string | null;
  /** Where there are several processes that serve it alike. */
  readonly replicas?: readonly ReplicaStatus[];
}

export type ReplicaStatus = Pick<ModuleStatus, "status" | "detail"> & { readonly address: string };

export interface BusStatus {
  readonly kind: "memory" | "redis";
  readonly status: Light;
  readonly detail?: string;
}

/** `unknown` is the page's own word: the gateway does not answer, so nothing is known of the rest. */
export type Light = "running" | "degraded" | "down" | "unknown";

/** What lives in one process. */
export interface ProcessGroup {
  /** `host:pid`, as long as it is known. */
  readonly process: string | undefined;
  readonly services: readonly ServiceName[];
  /** True when the bus is memory of this process. */
  readonly holdsBus: boolean;
}

export function isStatus(value: unknown): value is Status {
  return isRecord(value) && Array.isArray(value.modules) && isRecord(value.bus);
}

/** What can be said while the gateway itself does not answer. */
export function unreachable(last: Status | undefined): Status {
  const detail = "unknown while the gateway does not answer";
  const modules =
    last?.modules ?? DEFAULT_PORTS.map(([name, port]) => ({ name, port, placement: "in-process" as const }));
  return {
    topology: last?.topology ?? "",
    modules: modules.map((module) =>
      module.name === "gateway"
        ? { ...module, status: "down", latency_ms: 0, detail: "does not answer" }
        : { ...module, status: "unknown", latency_ms: 0, detail },
    ),
    bus: { kind: last?.bus.kind ?? "memory", status: "unknown", detail },
  };
}

const DEFAULT_PORTS = [["gateway", 8_000] as const, ...modules.map(({ name, port }) => [name, port] as const)];

/**
 * Which services share a process. Where the stream has told it, by process; else what the gateway calls
 * in-process is with it, and everything else stands for itself.
 * @param remembered the processes that answered before, for one that is down still has its frame
 */
export function groupByProcess(status: Status, remembered: Status["processes"] = {}): ProcessGroup[] {
  const told = { ...remembered, ...status.processes };
  const keyOf = (name: ServiceName): string => {
    const placement = status.modules.find((module) => module.name === name)?.placement;
    return told[name] ?? (placement === "in-process" ? (told.gateway ?? "gateway") : name);
  };
  const all = serviceNames.filter((name) => status.modules.some((module) => module.name === name));
  return [...Map.groupBy(all, keyOf)].map(([key, services]) => ({
    process: key.includes(":") ? key : undefined,
    services,
    holdsBus: status.bus.kind === "memory" && services.length === all.length,
  }));
}

/** Whether two services share a process, as far as is known. */
export function sharesProcess(groups: readonly ProcessGroup[], one: Place, other: Place): boolean {
  return groups.some(({ services }) => isIn(services, one) && isIn(services, other));
}

function isIn(services: readonly ServiceName[], place: Place): boolean {
  return services.some((name) => name === place);
}

/** Whether something listens on the port of this service: one process that serves all has only the gateway's. */
export function listens({ modules }: Pick<Status, "modules">, name: string): boolean {
  return name === "gateway" || modules.some(({ placement }) => placement === "remote");
}

/** The same status, but for what took how long: those figures change with each look. */
export function isSameStatus(one: Status | undefined, other: Status | undefined): boolean {
  const plain = (status: Status | undefined): string =>
    JSON.stringify(status, (key, value: unknown) => (key === "latency_ms" ? 0 : value)) ?? "";
  return plain(one) === plain(other);
}

/** The topology in a few words: `one process, pid 4711` or `4 processes`. */
export function describeGroups(groups: readonly ProcessGroup[]): string {
  const [only] = groups;
  if (groups.length !== 1 || only === undefined) return `${groups.length} processes`;
  return only.process === undefined ? "one process" : `one process, pid ${pidOf(only.process)}`;
}

export function pidOf(process: string): string {
  return process.slice(process.lastIndexOf(":") + 1);
}

export function hostOf(process: string): string {
  return process.slice(0, process.lastIndexOf(":"));
}
