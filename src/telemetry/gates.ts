import { z } from "zod";
import type { Bus } from "../bus/bus.ts";
import type { Gate } from "../call/gate.ts";
import { processId } from "./tracing.ts";

/** The topic on which a process tells of its gates, at which calls wait while a module moves. */
export const GATES_TOPIC = "gates";

export const gateTold = z.object({
  /** Whose gate it is. */
  process: z.string(),
  module: z.string(),
  closed: z.boolean(),
  /** How many calls wait at it now. */
  waiting: z.int(),
  /** How many have, since it closed. */
  waited: z.int(),
  /** For how long it has been closed. */
  closed_ms: z.number(),
});

export type GateTold = z.output<typeof gateTold>;

/** How often it is told how many wait at a gate that stays closed. */
const EVERY_MS = 250;

interface Closed {
  readonly tell: (closed: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

/** Tells of the gates of this process: when one closes, now and then while it is closed, and when it opens. */
export class GateTeller {
  readonly #bus: Pick<Bus, "broadcast">;
  readonly #closed = new Map<string, Closed>();

  constructor(bus: Pick<Bus, "broadcast">) {
    this.#bus = bus;
  }

  /** @param gate who waits at it; undefined when it opens */
  take(module: string, gate: Pick<Gate, "waiting" | "waited"> | undefined): void {
    if (gate === undefined) this.#open(module);
    else this.#close(module, gate);
  }

  /** Tells nothing more. */
  close(): void {
    for (const { timer } of this.#closed.values()) clearInterval(timer);
    this.#closed.clear();
  }

  #close(module: string, gate: Pick<Gate, "waiting" | "waited">): void {
    const sinceMs = performance.now();
    const tell = (closed: boolean): void => {
      const closed_ms = Math.round(performance.now() - sinceMs);
      const { waiting, waited } = gate;
      this.#bus.broadcast(GATES_TOPIC, { process: processId, module, closed, waiting, waited, closed_ms });
    };
    this.#closed.set(module, { tell, timer: setInterval(tell, EVERY_MS, true).unref() });
    tell(true);
  }

  #open(module: string): void {
    const closed = this.#closed.get(module);
    clearInterval(closed?.timer);
    this.#closed.delete(module);
    closed?.tell(false);
  }
}
