import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pino } from "pino";
import { isProblem, type Problem } from "../../../src/base/problem.ts";
import { parseFaults } from "../../../src/call/faults.ts";
import { createService } from "../../../src/call/service.ts";
import type { CallContext, Principal } from "../../../src/contract/context.ts";
import { type ClientOf, type Contract, createClient, type HandlersOf } from "../../../src/contract/contract.ts";
import type { CloudEvent } from "../../../src/contract/event.ts";
import type { Module, Peers } from "../../../src/modules/module.ts";
import { orders } from "../../../src/modules/orders/contract.ts";
import { createOrders } from "../../../src/modules/orders/index.ts";
import { products } from "../../../src/modules/products/contract.ts";
import { createProducts } from "../../../src/modules/products/index.ts";
import { users } from "../../../src/modules/users/contract.ts";
import { createUsers } from "../../../src/modules/users/index.ts";
import { createUserStore } from "../../../src/modules/users/store.ts";
import { newAccount } from "../../../src/modules/users/user.ts";
import { openStore, type SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";

/** For a module that has no replicas. */
export const ALONE: Peers = { tell() {}, onTold() {} };

export type Product = Awaited<ReturnType<ClientOf<typeof products>["getProduct"]>>;
export type Order = Awaited<ReturnType<ClientOf<typeof orders>["getOrder"]>>;

/** The three modules over real files, called through their contracts; events go from log to log when told to. */
export interface Shop {
  readonly products: ClientOf<typeof products>;
  readonly orders: ClientOf<typeof orders>;
  readonly stores: { readonly products: SqliteStore; readonly orders: SqliteStore };
  readonly modules: { readonly products: Module<typeof products>; readonly orders: Module<typeof orders> };
  readonly admin: CallContext;
  readonly alice: CallContext;
  readonly bob: CallContext;
  /** What the modules logged at level warn and above. */
  readonly warnings: Record<string, unknown>[];
  addProduct(draft?: Partial<Parameters<ClientOf<typeof products>["addProduct"]>[0]>): Promise<Product>;
  /** Carries events, oldest first, at most so many from each log; all of them, and what they cause, if left out. */
  deliver(limits?: { readonly orders?: number; readonly products?: number }): Promise<void>;
  /** Closes everything; fails when a handler failed without a name. */
  close(): Promise<void>;
}

/** @param faults such as `users.getUser=unavailable` */
export async function openShop(faults = ""): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), "quartet-shop-"));
  const open = (name: string) => {
    const migrations = new URL(`../../../src/modules/${name}/migrations/`, import.meta.url);
    return openStore({ name, file: join(folder, `${name}.db`), migrations });
  };
  const stores = { users: open("users"), products: open("products"), orders: open("orders") };
  const warnings: Record<string, unknown>[] = [];
  const logger = pino({ level: "warn" }, { write: (line) => void warnings.push(JSON.parse(line)) });
  const unexpected: unknown[] = [];
  const clientOf = <C extends Contract>(
    contract: C,
    handlers: HandlersOf<C>,
    { answers }: SqliteStore,
  ): ClientOf<C> => {
    const onUnexpected = (_operation: string, error: unknown) => void unexpected.push(error);
    const options = { answers, onUnexpected, faults: parseFaults(faults) };
    return createClient(contract, createService(contract, handlers, options));
  };

  const times = { tokenTtlSeconds: 60, refreshTtlSeconds: 3_600 };
  const userSettings = { ...times, bcryptCost: 4, freeFailures: 10, jwtIssuer: "test", jwtAudience: "test" };
  const common = { logger, now: Date.now, peers: ALONE };
  const userModule = createUsers({ store: stores.users, settings: userSettings, ...common });
  const productModule = createProducts({ store: stores.products, settings: {}, ...common });
  const clients = {
    users: clientOf(users, userModule.handlers, stores.users),
    products: clientOf(products, productModule.handlers, stores.products),
  };
  const orderModule = createOrders({ store: stores.orders, settings: {}, ...common, ...clients });

  const accounts = createUserStore(stores.users);
  const signUp = async (name: string, role: Principal["role"]) => {
    const account = newAccount({ name, email: `${name}@example.com`, role }, "no password fits", Date.now());
    await accounts.addUnlessTaken(account);
    return contextOf({ id: account.id, role });
  };
  const admin = await signUp("admin", "admin");

  const toProducts = carrier(stores.orders, stores.products, productModule);
  const toOrders = carrier(stores.products, stores.orders, orderModule);
  return {
    products: clients.products,
    orders: clientOf(orders, orderModule.handlers, stores.orders),
    stores,
    modules: { products: productModule, orders: orderModule },
    admin,
    alice: await signUp("alice", "customer"),
    bob: await signUp("bob", "customer"),
    warnings,
    addProduct: (draft) => clients.products.addProduct({ name: "Pen", price_cents: 250, stock: 10, ...draft }, admin),
    async deliver(limits = {}) {
      await toProducts(limits.orders);
      await toOrders(limits.products);
    },
    async close() {
      await Promise.all(Object.values(stores).map((store) => store.close()));
      rmSync(folder, { recursive: true, force: true });
      expect(unexpected).to.deep.equal([]);
    },
  };
}

/** A context with time enough; `principal` null for nobody. */
export function contextOf(principal: Principal | null, timeoutMs = 3_600_000): CallContext {
  const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
  return { principal, token: null, deadline: performance.now() + timeoutMs, requestId: "test", trace };
}

/** The problem that a call must fail with. */
export async function problemOf(call: Promise<unknown>): Promise<Problem> {
  const answer = await call.catch((error: unknown) => error);
  if (isProblem(answer)) return answer;
  throw new Error(`a problem was expected, not ${JSON.stringify(answer)}`);
}

export async function codeOf(call: Promise<unknown>): Promise<string> {
  return (await problemOf(call)).code;
}

/** All events of a log. */
export async function eventsOf(store: SqliteStore): Promise<CloudEvent<Record<string, unknown>>[]> {
  return (await store.log.readAfter(0, 100_000)).map((entry) => JSON.parse(entry.event));
}

/** Applies one event as a consumer would. */
export function apply(module: Module<Contract>, store: SqliteStore, event: CloudEvent): Promise<void> {
  return store.write(function* (unit) {
    for (const subscription of module.subscriptions) yield* subscription.apply(unit, event);
  });
}

function carrier(from: SqliteStore, to: SqliteStore, module: Module<Contract>): (limit?: number) => Promise<void> {
  let seq = 0;
  return async (limit = 100_000) => {
    for (const entry of await from.log.readAfter(seq, limit)) {
      seq = entry.seq;
      await apply(module, to, JSON.parse(entry.event));
    }
  };
}
