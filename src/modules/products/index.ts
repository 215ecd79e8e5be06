import { newId } from "../../base/id.ts";
import { Problem } from "../../base/problem.ts";
import { activeSpan } from "../../base/span.ts";
import { timestampOf } from "../../base/timestamp.ts";
import { type Subscription, subscribeTo } from "../../bus/subscription.ts";
import type { CallContext } from "../../contract/context.ts";
import type { HandlersOf } from "../../contract/contract.ts";
import { type CloudEvent, draftEvent, type EventDraft } from "../../contract/event.ts";
import { beginning } from "../../contract/in-time.ts";
import { pageOf } from "../../contract/schemas.ts";
import { continueIds } from "../../store/continue-ids.ts";
import { sql } from "../../store/sql.ts";
import type { Module, ModuleDeps } from "../module.ts";
import { orders } from "../orders/contract.ts";
import { products } from "./contract.ts";
import { DEMO_PRODUCTS, demoId } from "./demo-products.ts";
import { cursorAfter, readPosition } from "./list-position.ts";
import { correctProduct, createProduct, type Product, restockProduct, reviseProduct } from "./product.ts";
import { createProductStore, type ProductStore } from "./store.ts";

export { inPostgres } from "./in-postgres.ts";
export { type Reservation, readStockBook, type StockBook } from "./stock-book.ts";

/** There is nothing to set. */
export type ProductsSettings = Readonly<Record<string, never>>;

/** The catalogue and its stock; decides the orders that it hears of. */
export function createProducts(deps: ModuleDeps<ProductsSettings>): Module<typeof products> {
  const { store, now: nowMs } = deps;
  const now = () => timestampOf(nowMs());
  const catalogue = createProductStore(store);
  return {
    handlers: createHandlers(catalogue, now),
    subscriptions: [decideOrders(catalogue, now)],
    start: () => continueIds(store, sql`products`),
    async seed() {
      const demo = DEMO_PRODUCTS.map((draft, index) => createProduct(demoId(index), draft, now()));
      return (await catalogue.addIfEmpty(demo)) ? `${demo.length} demo products` : undefined;
    },
  };
}

function createHandlers(catalogue: ProductStore, now: () => string): HandlersOf<typeof products> {
  return {
    async listProducts({ cursor, limit, active, sort, q: text }, ctx) {
      if (active !== "true") requireAdmin(ctx);
      const filter = { active: active === "all" ? undefined : active === "true", text, sort };
      const rows = await catalogue.list(filter, readPosition(cursor, sort), limit + 1);
      return pageOf(rows, limit, (last) => cursorAfter(last, sort));
    },
    async getProduct({ id }, ctx) {
      const product = await catalogue.find(id);
      if (product === undefined || !(product.active || ctx.principal?.role === "admin")) {
        throw new Problem("not-found", "There is no such product.");
      }
      return product;
    },
    addProduct: (draft, ctx) => catalogue.add(createProduct(newId(), draft, now()), ctx.claim, beginning(ctx)),
    updateProduct({ id, ifMatch, ...changes }, ctx) {
      const revise = (product: Product) => reviseProduct(product, changes, ifMatch, now());
      return catalogue.change(id, revise, { begin: beginning(ctx) });
    },
    restockProduct: ({ id, quantity }, ctx) =>
      catalogue.change(id, (product) => restockProduct(product, quantity, now()), {
        begin: beginning(ctx),
        movement: { reason: "restocked" },
        claim: ctx.claim,
      }),
    correctProduct: ({ id, delta, reason: note }, ctx) =>
      catalogue.change(id, (product) => correctProduct(product, delta, now()), {
        begin: beginning(ctx),
        movement: { reason: "corrected", note },
        claim: ctx.claim,
      }),
  };
}

/** What is not for sale is for an admin to see. @throws Problem unauthenticated, or forbidden */
function requireAdmin({ principal }: CallContext): void {
  if (principal === null) throw new Problem("unauthenticated", "Only an admin may list what is not for sale.");
  if (principal.role !== "admin") throw new Problem("forbidden", "Only an admin may list what is not for sale.");
}

/** Takes the stock of new orders and gives back that of cancelled ones; each answer is an event in our own log. */
function decideOrders(catalogue: ProductStore, now: () => string): Subscription {
  return subscribeTo(orders, {
    *"order.created"(unit, event) {
      const { order_id, items } = event.data;
      const decision = yield* catalogue.reserve(unit, order_id, items, now());
      if (decision === undefined) return;
      if (decision === "reserved") yield* unit.append(reply(event, "stock.reserved", { order_id }));
      else yield* unit.append(reply(event, "stock.rejected", { order_id, ...decision }));
    },
    *"order.cancelled"(unit, event) {
      const { order_id } = event.data;
      if (yield* catalogue.release(unit, order_id, now())) {
        yield* unit.append(reply(event, "stock.released", { order_id }));
      }
    },
  });
}

/** An event that answers another belongs to the same trace: below the span that applies it, if there is one. */
function reply<T extends keyof (typeof products)["events"]>(
  event: CloudEvent,
  type: T,
  data: Parameters<typeof draftEvent<typeof products, T>>[3],
): EventDraft {
  const draft = draftEvent(products, type, data.order_id, data, activeSpan()?.context);
  return event.traceparent === undefined ? draft : { traceparent: event.traceparent, ...draft };
}
