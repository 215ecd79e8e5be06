import { type Cell, createCell } from "../model/cell.ts";
import { isRecord, parseJson } from "../model/json.ts";
import { type OrderQueue, TRICKLE_HEADER, tellRefusal } from "./order-queue.ts";
import type { OrderSupply } from "./order-supply.ts";
import type { Requests } from "./requests.ts";
import type { Session } from "./session.ts";

/** One order that a click has placed, followed until it is known what became of it. */
export interface OwnOrder {
  /** `waiting` in this page, `pending` at the shop, `none` where there was nobody to place it or nothing to order. */
  readonly phase: "sent" | "waiting" | "pending" | "confirmed" | "rejected" | "refused" | "none";
  readonly attempts: number;
  /** From the click to the end. */
  readonly tookMs: number;
  /** Why it is as it is, where that has to be said. */
  readonly why: string | undefined;
}

export interface OwnOrders {
  readonly last: Cell<OwnOrder | undefined>;
  place(): Promise<void>;
  /** Looks after the last no more, and forgets it unless the shop has settled it. */
  leave(): void;
}

/** How often an order that is pending is looked at. */
const LOOK_MS = 500;

export function createOwnOrders(
  { sendQuietly }: Pick<Requests, "sendQuietly">,
  queue: Pick<OrderQueue, "add">,
  supply: OrderSupply,
): OwnOrders {
  const last = createCell<OwnOrder | undefined>(undefined);
  /** Counts the orders: what is heard of one before the last is not shown. */
  let newest = 0;

  async function read(id: string, as: Session): Promise<unknown> {
    const response = await sendQuietly(`/orders/${id}`, { headers: TRICKLE_HEADER }, as).catch(() => undefined);
    const body = response?.ok ? parseJson(await response.text()) : undefined;
    return isRecord(body) ? body.status : undefined;
  }

  /** Looks until it is settled, or no longer the last. An order that cannot be read now may be in a moment. */
  async function settled(id: string, as: Session, isLast: () => boolean): Promise<OwnOrder["phase"]> {
    for (;;) {
      const status = await read(id, as);
      if (status === "confirmed" || status === "rejected") return status;
      if (!isLast()) return "pending"; // nobody looks at it any more
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  return {
    last,
    async place() {
      newest += 1;
      const own = newest;
      const startedAtMs = performance.now();
      let attempts = 1;
      const isLast = () => own === newest;
      const tell = (phase: OwnOrder["phase"], why?: string): void => {
        if (isLast()) last.set({ phase, attempts, tookMs: performance.now() - startedAtMs, why });
      };
      tell("sent");
      const buyer = await supply.find();
      if (typeof buyer === "string") return tell("none", buyer);
      queue.add({
        productId: buyer.product.id,
        as: buyer.as,
        first: true,
        onWait(failed, why) {
          attempts = failed + 1;
          tell("waiting", why);
        },
        async onAnswer(answer) {
          if (answer.kind === "refused") return tell("refused", supply.hear(answer) ? undefined : tellRefusal(answer));
          tell("pending");
          tell(await settled(answer.id, buyer.as, isLast));
        },
      });
    },
    leave() {
      newest += 1;
      const phase = last.get()?.phase;
      if (phase !== "confirmed" && phase !== "rejected" && phase !== "refused") last.set(undefined);
    },
  };
}
