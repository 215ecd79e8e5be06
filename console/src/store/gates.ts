import { type Cell, createCell } from "../model/cell.ts";
import { type Gate, joinGates, readGate } from "../model/gate.ts";

/** For how long a gate that has opened is still shown: it is closed for a moment only. */
const SHOWN_MS = 12_000;

/** Within this the gates of all processes that a move is between have told of it. */
const ONE_MOVE_MS = 1_000;

/** The gates of modules that move, or have just moved. */
export interface Gates {
  readonly shown: Cell<readonly Gate[]>;
  /** @param data what the stream tells of one */
  take(data: Readonly<Record<string, unknown>>): void;
}

export function createGates(shownMs = SHOWN_MS): Gates {
  const shown = createCell<readonly Gate[]>([]);
  /** Module → process → the gate there. */
  const told = new Map<string, Map<string, Gate>>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  const openedAtMs = new Map<string, number>();

  function show(): void {
    shown.set(Array.from(told, ([module, gates]) => joinGates(module, [...gates.values()])));
  }

  function forget(module: string): void {
    told.delete(module);
    show();
  }

  return {
    shown,
    take(data) {
      const gate = readGate(data);
      if (gate === undefined) return;
      const { module, process } = gate;
      const before = told.get(module) ?? new Map<string, Gate>();
      const isOpen = Array.from(before.values()).every(({ closed }) => !closed);
      const isAnother = isOpen && performance.now() - (openedAtMs.get(module) ?? 0) > ONE_MOVE_MS;
      told.set(module, isAnother ? new Map([[process, gate]]) : before.set(process, gate));
      if (!gate.closed) openedAtMs.set(module, performance.now());
      clearTimeout(timers.get(module));
      timers.set(module, setTimeout(forget, shownMs, module)); // a process that ends tells nothing more
      show();
    },
  };
}
