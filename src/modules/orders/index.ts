import type { Logger } from "pino";
import { newId } from "../../base/id.ts";
import { Problem } from "../../base/problem.ts";
import { timestampOf } from "../../base/timestamp.ts";
import { type Subscription, subscribeTo } from "../../bus/subscription.ts";
import type { CallContext, SignedInContext } from "../../contract/context.ts";
import type { HandlersOf } from "../../contract/contract.ts";
import { draftEvent } from "../../contract/event.ts";
import { beginning } from "../../contract/in-time.ts";
import { pageOf } from "../../contract/schemas.ts";
import { continueIds } from "../../store/continue-ids.ts";
import { sql } from "../../store/sql.ts";
import type { Unit, Work } from "../../store/unit.ts";
import type { Module, ModuleDeps, Replicated } from "../module.ts";
import { products } from "../products/contract.ts";
import { orders } from "./contract.ts";
import { lookUp, type Neighbours } from "./look-ups.ts";
import {
  acknowledgeRelease,
  addUp,
  cancelOrder,
  confirmOrder,
  type Order,
  type Outcome,
  placeOrder,
  rejectOrder,
} from "./order.ts";
import { createSharedWaits, type Waits } from "./shared-waits.ts";
import { createOrderStore, type OrderStore } from "./store.ts";

export { type BookedOrder, readOrderBook } from "./order-book.ts";

/** There is nothing to set. */
export type OrdersSettings = Readonly<Record<string, never>>;

/** How many callers may wait for an order at once; one more is answered at once. */
const MAX_WAITS = 10_000;

/** Orders, from being placed to what became of them; asks users and products, and hears from products. */
export function createOrders(deps: ModuleDeps<OrdersSettings> & Neighbours & Replicated): Module<typeof orders> {
  const { store, logger, users, products, peers, now: nowMs } = deps;
  const now = () => timestampOf(nowMs());
  const book = createOrderStore(store);
  const waits = createSharedWaits({ maxWaits: MAX_WAITS, lookAgainMs: store.lookAgainMs }, peers);
  return {
    handlers: {
      placeOrder: placing(book, { users, products }, now),
      ...reading(book, waits),
      cancelOrder: cancelling(book, waits, now),
    },
    subscriptions: [settleOrders(book, waits, logger, now)],
    start: () => continueIds(store, sql`orders`),
    drain: waits.drain,
  };
}

function placing(book: OrderStore, neighbours: Neighbours, now: () => string): HandlersOf<typeof orders>["placeOrder"] {
  return async ({ user_id, product_id, quantity, items }, ctx) => {
    const { principal: caller, claim } = ctx;
    const userId = user_id ?? caller.id;
    if (userId !== caller.id && caller.role !== "admin") {
      throw new Problem("forbidden", "Only an admin may place an order for another user.");
    }
    const units = addUp(items ?? (product_id && quantity ? [{ product_id, quantity }] : []));
    const found = await lookUp(neighbours, userId, units.keys(), ctx);
    const order = placeOrder(newId(), userId, units, found, now());
    return book.place(order, orderCreated(order, ctx), claim, beginning(ctx));
  };
}

function reading(book: OrderStore, waits: Waits): Pick<HandlersOf<typeof orders>, "getOrder" | "listOrders"> {
  return {
    getOrder({ id, wait = 0 }, ctx) {
      const look = () => findVisible(book, id, ctx);
      return wait === 0 ? look() : waits.until(id, wait * 1_000, look, (order) => order.status !== "pending");
    },
    async listOrders({ limit, cursor, status, user_id }, { principal: caller }) {
      const isAdmin = caller.role === "admin";
      if (!isAdmin && user_id !== undefined && user_id !== caller.id) {
        throw new Problem("forbidden", "Only an admin may list the orders of another user.");
      }
      const userId = isAdmin ? user_id : caller.id;
      return pageOf(await book.list({ userId, status }, cursor, limit + 1), limit);
    },
  };
}

function cancelling(book: OrderStore, waits: Waits, now: () => string): HandlersOf<typeof orders>["cancelOrder"] {
  return async ({ id }, ctx) => {
    const { user_id } = await findVisible(book, id, ctx);
    const cancelled = draftEvent(orders, "order.cancelled", id, { order_id: id, user_id }, ctx.trace);
    const order = await book.cancel(
      id,
      (order) => cancelOrder(order, now()),
      cancelled,
      beginning(ctx),
      () => waits.wake(id),
    );
    return order;
  };
}

/** Does to an order what products decided of it. */
function settleOrders(book: OrderStore, waits: Waits, logger: Logger, now: () => string): Subscription {
  function* settle(unit: Unit, orderId: string, reply: string, rule: (order: Order) => Outcome): Work<void> {
    const outcome = yield* book.settle(unit, orderId, rule);
    if (outcome === undefined) {
      logger.warn({ orderId, reply }, "reply to an unknown order: to be reconciled");
    } else if (outcome === "contradiction") {
      logger.warn({ orderId, reply }, "reply contradicts a final order: to be reconciled");
    } else {
      unit.afterCommit(() => waits.wake(orderId));
    }
  }
  return subscribeTo(products, {
    *"stock.reserved"(unit, { type, data }) {
      yield* settle(unit, data.order_id, type, (order) => confirmOrder(order, now()));
    },
    *"stock.rejected"(unit, { type, data: { order_id, ...rejection } }) {
      yield* settle(unit, order_id, type, (order) => rejectOrder(order, rejection, now()));
    },
    *"stock.released"(unit, { type, data }) {
      yield* settle(unit, data.order_id, type, acknowledgeRelease);
    },
  });
}

/** An order for those who may see it. @throws Problem not-found, the same for an order that is not there */
async function findVisible(book: OrderStore, id: string, { principal }: SignedInContext): Promise<Order> {
  const order = await book.find(id);
  if (order === undefined || !(order.user_id === principal.id || principal.role === "admin")) {
    throw new Problem("not-found", "There is no such order.");
  }
  return order;
}

function orderCreated(order: Order, ctx: CallContext) {
  const { id, user_id, total_cents, currency } = order;
  const items = order.items.map(({ product_id, quantity }) => ({ product_id, quantity }));
  return draftEvent(orders, "order.created", id, { order_id: id, user_id, items, total_cents, currency }, ctx.trace);
}
