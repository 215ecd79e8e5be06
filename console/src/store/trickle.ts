import { type Cell, createCell } from "../model/cell.ts";
import { type OrderAnswer, type OrderQueue, tellRefusal } from "./order-queue.ts";
import type { Buyer, OrderSupply } from "./order-supply.ts";

export const ORDERS_A_SECOND = 10;

/** A steady trickle of orders, none of which is shown by itself. */
export interface Trickle {
  readonly state: Cell<TrickleState>;
  start(): Promise<void>;
  /** No new orders; those that wait are still sent. */
  stop(why?: string): void;
}

export interface TrickleState {
  readonly running: boolean;
  /** Since it was last switched on. */
  readonly taken: number;
  readonly refused: number;
  /** In whose name and for what, as it was last. */
  readonly who: string | undefined;
  readonly product: string | undefined;
  /** Why it does not run, where nobody has switched it off. */
  readonly ended: string | undefined;
}

const EVERY_MS = 1_000 / ORDERS_A_SECOND;

/** How often what is shown may change: more often nobody reads. */
const TELL_MS = 500;

/** More than a shop that is away for a minute makes wait. */
const MOST_WAITING = 1_000;

const OFF = { running: false, taken: 0, refused: 0, who: undefined, product: undefined, ended: undefined };

export function createTrickle(queue: Pick<OrderQueue, "add" | "waiting">, supply: OrderSupply): Trickle {
  const state = createCell<TrickleState>(OFF);
  let now: TrickleState = OFF;
  let timer: ReturnType<typeof setInterval> | undefined;
  let finding = false;
  let toldAtMs = 0;

  function tell(change: Partial<TrickleState> = {}): void {
    now = { ...now, ...change };
    toldAtMs = performance.now();
    state.set(now);
  }

  function stop(why?: string): void {
    clearInterval(timer);
    timer = undefined;
    tell({ running: false, ended: why });
  }

  function tick(): void {
    const buyer = supply.next();
    if (queue.waiting >= MOST_WAITING) stop(`Stopped: ${MOST_WAITING} orders wait already.`);
    else if (buyer !== undefined) order(buyer);
    else if (!finding) void findBuyer();
    if (performance.now() - toldAtMs >= TELL_MS) tell();
  }

  async function findBuyer(): Promise<void> {
    finding = true;
    const buyer = await supply.find();
    finding = false;
    if (!now.running) return;
    if (typeof buyer === "string") return stop(buyer);
    order(buyer);
    timer ??= setInterval(tick, EVERY_MS);
  }

  function order({ as, product }: Buyer): void {
    now = { ...now, who: as.name, product: product.name };
    queue.add({ productId: product.id, as, onAnswer: take });
  }

  function take(answer: OrderAnswer): void {
    now = answer.kind === "taken" ? { ...now, taken: now.taken + 1 } : { ...now, refused: now.refused + 1 };
    if (answer.kind === "refused" && !supply.hear(answer) && now.running) stop(`Stopped: ${tellRefusal(answer)}`);
    else if (!now.running) tell();
  }

  return {
    state,
    async start() {
      if (now.running) return;
      tell({ ...OFF, running: true });
      await findBuyer();
    },
    stop,
  };
}
