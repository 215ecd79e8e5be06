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

/** What is told of one module. */
interface Told {
  /** Process → the gate there. */
  readonly gates: ReadonlyMap<string, Gate>;
  /** When the last of them opened. */
  readonly openedAtMs: number;
  readonly timer: ReturnType<typeof setTimeout>;
}

export function createGates(shownMs = SHOWN_MS): Gates {
  const shown = createCell<readonly Gate[]>([]);
  const told = new Map<string, Told>();

  function show(): void {
    shown.set(Array.from(told, ([module, { gates }]) => joinGates(module, [...gates.values()])));
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
      const { gates: before = new Map<string, Gate>(), openedAtMs = 0, timer } = told.get(module) ?? {};
      const nowMs = performance.now();
      const isOpen = Array.from(before.values()).every(({ closed }) => !closed);
      const isAnother = isOpen && nowMs - openedAtMs > ONE_MOVE_MS;
      clearTimeout(timer);
      told.set(module, {
        gates: new Map([...(isAnother ? [] : before), [process, gate]]),
        openedAtMs: gate.closed ? openedAtMs : nowMs,
        timer: setTimeout(forget, shownMs, module), // a process that ends tells nothing more
      });
      show();
    },
  };
}
