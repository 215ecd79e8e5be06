import { type Cell, createCell } from "../model/cell.ts";
import type { Engines } from "../model/places.ts";
import { isSameStatus, isStatus, type Status, unreachable } from "../model/topology.ts";

/** How the shop is, as it was last told. */
export interface StatusBoard {
  /** Changes when something but a figure has changed: what is drawn from it is not drawn anew every two seconds. */
  readonly status: Cell<Status | undefined>;
  readonly processes: Cell<NonNullable<Status["processes"]>>;
  readonly engines: Cell<Engines>;
  readonly latencies: Cell<Readonly<Record<string, number>>>;
  /** @param body the body of /status, or anything else where the gateway does not answer */
  take(body: unknown): void;
  tellLatency(service: string, ms: number): void;
}

export interface StatusBoardDeps {
  /** Each time that all is well. */
  onHealthy(): void;
  /** When all is well again. */
  onHealed(): void;
}

export function createStatusBoard({ onHealthy, onHealed }: StatusBoardDeps): StatusBoard {
  const status = createCell<Status | undefined>(undefined);
  const processes = createCell<NonNullable<Status["processes"]>>({});
  const engines = createCell<Engines>({});
  const latencies = createCell<Readonly<Record<string, number>>>({});
  let wasHealthy = true;

  const tellLatencies = (told: Readonly<Record<string, number>>): void => remembered(latencies, told);

  const remember = ({ modules, ...told }: Status): void => {
    remembered(processes, told.processes);
    remembered(engines, told.engines);
    // How long the gateway takes, it cannot tell itself.
    const others = modules.filter(({ name }) => name !== "gateway");
    tellLatencies(Object.fromEntries(others.map(({ name, latency_ms }) => [name, latency_ms])));
  };

  return {
    status,
    processes,
    engines,
    latencies,
    take(body) {
      const next = isStatus(body) ? body : unreachable(status.get());
      if (!isSameStatus(status.get(), next)) status.set(next);
      if (isStatus(body)) remember(body);
      const healthy = next.modules.every(({ status }) => status === "running");
      if (healthy) onHealthy();
      if (healthy && !wasHealthy) onHealed();
      wasHealthy = healthy;
    },
    tellLatency: (service, ms) => tellLatencies({ [service]: ms }),
  };
}

/** Adds what is told to what was, and says so only if something is new. */
function remembered<T extends Readonly<Partial<Record<string, unknown>>>>(cell: Cell<T>, told: T | undefined): void {
  const known = cell.get();
  const isNew = Object.entries(told ?? {}).some(([name, value]) => known[name] !== value);
  if (isNew) cell.set({ ...known, ...told });
}
