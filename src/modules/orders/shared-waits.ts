import { z } from "zod";
import type { Peers } from "../module.ts";
import { createWaits, type Waits, type WaitsOptions } from "./waits.ts";

export type { Waits } from "./waits.ts";

const woken = z.object({ woken: z.array(z.string()) });

/**
 * Waits that are woken by what happens in any replica. Keys of one turn of the event loop are told together. Where no other process can
 * change anything nobody is told.
 */
export function createSharedWaits(options: WaitsOptions, peers: Peers): Waits {
  const waits = createWaits(options);
  if (options.lookAgainMs === undefined) return waits;
  let untold: string[] = [];

  function tell(): void {
    peers.tell({ woken: untold } satisfies z.input<typeof woken>);
    untold = [];
  }

  peers.onTold((message) => {
    for (const key of woken.safeParse(message).data?.woken ?? []) waits.wake(key);
  });
  return {
    ...waits,
    wake(key) {
      waits.wake(key);
      if (untold.length === 0) setImmediate(tell);
      untold.push(key);
    },
  };
}
