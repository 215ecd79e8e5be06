import { createTurns } from "../../../base/turns.ts";
import { isClosing } from "../../environment-fault.ts";
import type { Store } from "../../store.ts";

/** What one process at a time does, for a store that one process serves. */
export interface Leases {
  /** See `Store.lease`. */
  readonly hold: Store["lease"];
  /** The store closes. */
  end(): void;
}

/** @param lost fires when another process serves the file */
export function createLeases(lost: AbortSignal | undefined): Leases {
  const inTurn = createTurns();
  const closing = new AbortController();
  const ended = lost === undefined ? closing.signal : AbortSignal.any([closing.signal, lost]);
  return {
    hold: (role, work) =>
      inTurn(role, async () => {
        if (ended.aborted) throw isClosing();
        await work(ended);
      }),
    end: () => closing.abort(),
  };
}
