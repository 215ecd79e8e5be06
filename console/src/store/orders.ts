import { createOrderQueue, type OrderQueue } from "./order-queue.ts";
import { createOrderSupply, type OrderSupply, type OrderSupplyDeps } from "./order-supply.ts";
import { createOwnOrders, type OwnOrders } from "./own-order.ts";
import { createTrickle, type Trickle } from "./trickle.ts";

/** Orders to watch the shop with: one at a click, or a steady trickle. */
export interface Orders {
  readonly own: OwnOrders;
  readonly trickle: Trickle;
  readonly soldOut: OrderSupply["soldOut"];
  /** Puts something on the shelf again, and takes back that nothing was left. */
  refill(): Promise<void>;
  readonly queue: Pick<OrderQueue, "waiting" | "state">;
  /** Nothing is sent any more: the page is hidden or left. */
  leave(): void;
}

export function createOrders(deps: OrderSupplyDeps): Orders {
  const queue = createOrderQueue(deps.requests);
  const supply = createOrderSupply(deps);
  const trickle = createTrickle(queue, supply);
  const own = createOwnOrders(deps.requests, queue, supply);
  return {
    own,
    trickle,
    soldOut: supply.soldOut,
    async refill() {
      if (!(await supply.refill())) return;
      trickle.stop();
      own.leave();
    },
    queue,
    leave() {
      const lost = queue.clear();
      own.leave();
      if (!trickle.state.get().running && lost === 0) return;
      const orders = lost === 1 ? "One order that waited here was" : `${lost} orders that waited here were`;
      trickle.stop(`Stopped when this page was hidden.${lost === 0 ? "" : ` ${orders} given up.`}`);
    },
  };
}
