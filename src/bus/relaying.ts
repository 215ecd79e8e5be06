import type { Clock } from "../base/clock.ts";
import { createPace, type Pace } from "../base/pace.ts";
import { isProblem } from "../base/problem.ts";
import type { Store } from "../store/store.ts";
import type { Relay } from "./relay.ts";

/** A log that is relayed, by this process or another one of its module. */
export interface Relaying {
  /** See `Relay.isCurrent`. */
  isCurrent(): Promise<boolean>;
  stop(): Promise<void>;
}

/**
 * Relays a store's log whenever this process is the one that does: one turn ends when another process may, the next begins when that
 * has ended.
 * @param create makes the relay of a turn, which the pace ends
 */
export function startRelaying(store: Store, clock: Clock, create: (pace: Pace) => Relay): Relaying {
  let pace = createPace(clock);
  let relay = create(pace);
  let turn = Promise.resolve();
  let stopped = false;
  // A turn later: whoever waits for the commit is answered first.
  const unhook = store.log.onAppended((rows) => setImmediate(() => relay.told(rows)));

  const takeTurn = (lost: AbortSignal) => {
    if (stopped) return Promise.resolve();
    if (pace.stopped) {
      pace = createPace(clock);
      relay = create(pace);
    }
    lost.addEventListener("abort", pace.stop);
    turn = relay.run();
    return turn;
  };
  const takeTurns = async () => {
    while (!stopped) await store.lease("relay", takeTurn);
  };
  takeTurns().catch((error: unknown) => {
    if (!isProblem(error, "draining")) throw error;
  });

  return {
    isCurrent: () => relay.isCurrent(),
    async stop() {
      stopped = true;
      unhook();
      pace.stop();
      await turn;
    },
  };
}
