import { type Cell, createCell } from "../model/cell.ts";
import { addPulses, type Pulse, readPulse } from "../model/pulse.ts";

/** What the shop did in the last minute, second by second. */
export interface Pulses {
  readonly recent: Cell<readonly Pulse[]>;
  /** @param data a pulse as the stream tells it, or a list of them as `pulses` */
  take(data: Readonly<Record<string, unknown>>): void;
}

/** @param held how many orders wait in this page now */
export function createPulses(held: () => number): Pulses {
  const recent = createCell<readonly Pulse[]>([]);
  return {
    recent,
    take(data) {
      const told: readonly unknown[] = Array.isArray(data.pulses) ? data.pulses : [data];
      const isLate = Array.isArray(data.pulses); // how many waited then is not known any more
      const pulses = told.flatMap((each) => readPulse(each, isLate ? 0 : held()) ?? []);
      if (pulses.length > 0) recent.set(addPulses(recent.get(), pulses));
    },
  };
}
