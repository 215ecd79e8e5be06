import type { Control } from "../../control/controls.ts";
import { askForMove } from "../../runtime/move/ask-for-move.ts";
import type { OwnRedis } from "../commands/own-redis.ts";
import type { Supervised } from "../commands/supervised.ts";

/** @param products the processes that serve them */
export function killProducts(products: readonly Supervised[]): Control {
  return {
    name: "kill-products",
    unavailable: () => undefined,
    act() {
      const undo = products.map((each) => each.holdDown());
      return () => {
        for (const each of undo) each();
      };
    },
  };
}

/** @param redis that was started here */
export function hangRedis({ hang }: OwnRedis): Control {
  return {
    name: "hang-redis",
    unavailable: () =>
      hang === undefined ? "The Redis that was started here runs in Docker, out of reach." : undefined,
    act: async () => (await hang?.()) ?? (() => {}),
  };
}

/** Of a supervisor that can start a process for them. */
export function moveOrders(dataDir: string): Control {
  return {
    name: "move-orders",
    unavailable: () => undefined,
    async act() {
      await askForMove(dataDir, "orders", "out", undefined);
      return () => askForMove(dataDir, "orders", "here", undefined);
    },
  };
}
