import { type Cell, createCell } from "../model/cell.ts";
import { isSameStatus, isStatus, type Status, unreachable } from "../model/topology.ts";

/** How the shop is, as it was last told. */
export interface StatusBoard {
  /** Changes when something but a figure has changed: what is drawn from it is not drawn anew every two seconds. */
  readonly status: Cell<Status | undefined>;
  readonly processes: Cell<Status["processes"]>;
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
  const processes = createCell<Status["processes"]>(undefined);
  const latencies = createCell<Readonly<Record<string, number>>>({});
  let wasHealthy = true;

  const tellLatencies = (told: Readonly<Record<string, number>>): void => {
    const known = latencies.get();
    if (Object.entries(told).some(([name, ms]) => known[name] !== ms)) latencies.set({ ...known, ...told });
  };

  const remember = ({ modules, processes: told = {} }: Status): void => {
    const known: Readonly<Record<string, string>> = processes.get() ?? {};
    if (Object.entries(told).some(([name, process]) => known[name] !== process)) processes.set({ ...known, ...told });
    // How long the gateway takes, it cannot tell itself.
    const others = modules.filter(({ name }) => name !== "gateway");
    tellLatencies(Object.fromEntries(others.map(({ name, latency_ms }) => [name, latency_ms])));
  };

  return {
    status,
    processes,
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
