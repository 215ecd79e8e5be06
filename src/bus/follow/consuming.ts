import { isProblem } from "../../base/problem.ts";
import type { Store } from "../../store/store.ts";
import type { Consumer } from "./consumer.ts";

/**
 * Serves a subscription whenever this process is the one of its module that does: the others of it spare themselves the reading. That no
 * row is applied twice is up to the cursor; see `Cursors.take`.
 * @param create makes the consumer of a turn
 */
export function createConsuming(store: Store, create: () => Consumer): Consumer {
  let consumer = create();
  let isUsed = false;
  let turn = Promise.resolve();
  const stopped = Promise.withResolvers<void>();
  let isStopped = false;

  const takeTurn = (lost: AbortSignal) => {
    if (isStopped) return Promise.resolve();
    if (isUsed) consumer = create();
    isUsed = true;
    lost.addEventListener("abort", consumer.stop);
    turn = consumer.run();
    return turn;
  };
  const takeTurns = async () => {
    while (!isStopped) await store.lease(`apply ${consumer.publisher}`, takeTurn);
  };

  return {
    name: consumer.name,
    publisher: consumer.publisher,
    async run() {
      takeTurns().catch((error: unknown) => {
        if (!isProblem(error, "draining")) throw error;
      });
      await stopped.promise;
      await turn;
    },
    stalled: () => consumer.stalled(),
    stop() {
      isStopped = true;
      consumer.stop();
      stopped.resolve();
    },
  };
}
