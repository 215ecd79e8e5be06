import { isRecord } from "./json.ts";

/** The gate of a module that moves from one process to another, or has just done so: calls wait at it while it is closed. */
export interface Gate {
  readonly module: string;
  readonly closed: boolean;
  /** How many wait at it now. */
  readonly waiting: number;
  /** How many have, since it closed. */
  readonly waited: number;
  readonly closedMs: number;
}

/** @returns whose gate it is, and how; undefined for what tells of none */
export function readGate(data: unknown): (Gate & { readonly process: string }) | undefined {
  if (!isRecord(data) || typeof data.process !== "string" || typeof data.module !== "string") return undefined;
  const { process, module, closed } = data;
  const [waiting, waited, closedMs] = [Number(data.waiting), Number(data.waited), Number(data.closed_ms)];
  return { process, module, closed: closed === true, waiting, waited, closedMs };
}

/** Each process that a module moves between has a gate: as one. */
export function joinGates(module: string, gates: readonly Gate[]): Gate {
  const sum = (count: (gate: Gate) => number): number => gates.reduce((total, gate) => total + count(gate), 0);
  return {
    module,
    closed: gates.some(({ closed }) => closed),
    waiting: sum(({ waiting }) => waiting),
    waited: sum(({ waited }) => waited),
    closedMs: Math.max(0, ...gates.map(({ closedMs }) => closedMs)),
  };
}
