import pino from "pino";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/id.ts";
import { createOutage } from "../../src/base/outage.ts";
import type { Pace } from "../../src/base/pace.ts";
import { timestampOf } from "../../src/base/timestamp.ts";
import { type Consumer, createConsumer } from "../../src/bus/follow/consumer.ts";
import type { LogSource } from "../../src/bus/log-source.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import type { Order } from "../../src/modules/orders/order.ts";
import { createOrderStore } from "../../src/modules/orders/store.ts";
import { createProducts } from "../../src/modules/products/index.ts";
import { createProduct } from "../../src/modules/products/product.ts";
import { createProductStore } from "../../src/modules/products/store.ts";
import { postgresMigrationsOf } from "../../src/runtime/database-files.ts";
import type { ModuleName } from "../../src/runtime/modules.ts";
import { openPostgresStore } from "../../src/store/engines/postgres/open-store.ts";
import { draftEvent } from "../../src/store/log/cloud-events.ts";
import type { LogEntry, Store } from "../../src/store/store.ts";
import type { Wall, Walls } from "./figures.ts";
import { type Server, startServer } from "./server.ts";

/** Events that are numbered, and orders that are reserved. */
const EVENTS = 20_000;
const ORDERS = 3_000;
const PRODUCTS = 20;

/** So many go one by one after a start, see `Applier`. */
const ALONE = 64;

const WRITING_MS = 2_000;

const silent = pino({ level: "silent" });
const now = () => timestampOf(Date.now());

/** Measures each on a server of its own, by the shop's own code. */
export async function measureWalls(): Promise<Walls> {
  const server = await startServer("postgres");
  try {
    const writing: Walls["writing"][number][] = [];
    for (const connections of [1, 8, 32]) writing.push(await measureWriting(server, connections));
    return {
      writing,
      numbering: await withStore(server, "orders", 8, (store) => measureNumbering(server, store)),
      ...(await withStore(server, "products", 8, async (store) => {
        const ids = await addProducts(store);
        const all = [
          ...orderEntries(ALONE, ids),
          ...orderEntries(ORDERS, ids),
          ...orderEntries(ORDERS, ids.slice(0, 1)),
        ];
        const entries = all.map((entry, at): LogEntry => ({ ...entry, seq: at + 1 }));
        const follower = new Follower(store, entries);
        await follower.follow(ALONE);
        const reserving = await timed(server, ORDERS, () => follower.follow(ALONE + ORDERS));
        const reservingOne = await timed(server, ORDERS, () => follower.follow(ALONE + 2 * ORDERS));
        await follower.stop();
        return { reserving, reservingOne };
      })),
    };
  } finally {
    await server.stop();
  }
}

async function withStore<T>(server: Server, name: ModuleName, connections: number, work: (store: Store) => Promise<T>) {
  const place = { url: server.url, connections };
  const store = await openPostgresStore({ ...place, name, migrations: postgresMigrationsOf(name) });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** How long so many of something take, and what processor time. */
async function timed(server: Server, count: number, work: () => Promise<unknown>): Promise<Wall> {
  const cpu = process.cpuUsage();
  const serverMicros = server.cpuMicros();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: count / seconds,
    serverMicros: (server.cpuMicros() - serverMicros) / count,
    clientMicros: (user + system) / count,
  };
}

/** Of what others have committed all at once, by the one who comes first. */
async function measureNumbering(server: Server, store: Store): Promise<Wall> {
  const [{ event }] = orderEntries(1, [newId()]) as [LogEntry];
  await server.ask(
    `INSERT INTO orders.outbox_arrivals (event) SELECT '${event}' FROM generate_series(1, ${EVENTS}); ANALYZE orders.outbox_arrivals`,
  );
  return timed(server, EVENTS, async () => {
    await store.write((unit) => unit.append(orderCreated(newId(), newId())));
    await store.log.head(); // which waits until all of it is numbered
  });
}

async function measureWriting(server: Server, connections: number): Promise<Walls["writing"][number]> {
  const before = await server.written();
  const { wall, count } = await withStore(server, "orders", connections, async (store) => {
    const book = createOrderStore(store);
    let count = 0;
    const until = performance.now() + WRITING_MS;
    const write = async () => {
      for (; performance.now() < until; count++) {
        const order = someOrder();
        await book.place(order, orderCreated(order.id, newId()), undefined, () => {});
      }
    };
    const wall = await timed(server, 1, () => Promise.all(Array.from({ length: connections }, write)));
    return { wall, count };
  });
  // Its connections have told what they did when they ended.
  const { commits, syncs } = await server.written();
  return {
    connections,
    perSecond: count * wall.perSecond,
    serverMicros: wall.serverMicros / count,
    clientMicros: wall.clientMicros / count,
    commitsPerSync: (commits - before.commits) / (syncs - before.syncs),
  };
}

function someOrder(): Order {
  const item = {
    product_id: newId(),
    name: "Product 1",
    quantity: 2,
    unit_price_cents: 1_000,
    line_total_cents: 2_000,
  };
  const order = { id: newId(), user_id: newId(), status: "pending" as const, items: [item], total_cents: 2_000 };
  return { ...order, currency: "USD", rejection: null, created_at: now(), updated_at: now() };
}

async function addProducts(store: Store): Promise<readonly string[]> {
  const draft = (n: number) => ({
    name: `Product ${n}`,
    description: "",
    price_cents: 1_000,
    currency: "USD",
    stock: 1e9,
  });
  const products = Array.from({ length: PRODUCTS }, (_, n) => createProduct(newId(), draft(n), now()));
  await createProductStore(store).addIfEmpty(products);
  return products.map(({ id }) => id);
}

function orderCreated(orderId: string, productId: string): EventDraft {
  const items = [{ product_id: productId, quantity: 2 }];
  const data = { order_id: orderId, user_id: newId(), items, total_cents: 2_000, currency: "USD" };
  return { type: "order.created", subject: orderId, data };
}

/** Rows of the log of orders, each for the next of these products. */
function orderEntries(count: number, productIds: readonly string[]): LogEntry[] {
  return Array.from({ length: count }, (_, n) => {
    const draft = orderCreated(newId(), productIds[n % productIds.length] ?? "");
    return { seq: n + 1, epoch: "bench", previousEpoch: "bench", event: draftEvent("orders", draft, Date.now()).event };
  });
}

/** Applies these rows as a process of products does, which reads what there is, and rests between its transactions. */
class Follower {
  readonly #consumer: Consumer;
  readonly #running: Promise<void>;
  #upTo = 0;
  #reached = Promise.withResolvers<void>();

  constructor(store: Store, entries: readonly LogEntry[]) {
    const [subscription] = createProducts({ store, settings: {}, logger: silent, now: Date.now }).subscriptions;
    if (subscription === undefined) throw new Error("products hears of nothing");
    const source = (pace: Pace): LogSource => ({
      read: async (seq, limit) => {
        if (seq < this.#upTo) return entries.slice(seq, Math.min(seq + limit, this.#upTo));
        this.#reached.resolve();
        await pace.wait(1);
        return [];
      },
      head: async () => undefined,
      floor: async () => 1,
      database: async () => "bench",
      report: async () => {},
      discard: async () => {},
    });
    const outage = createOutage({ what: "a benchmark", logger: silent, clock: systemClock });
    const told = { outage, faults: undefined, clock: systemClock, logger: silent };
    this.#consumer = createConsumer({ store, subscription, source, ...told });
    this.#running = this.#consumer.run();
  }

  /** Resolves when all up to this row is applied. */
  follow(upTo: number): Promise<void> {
    this.#upTo = upTo;
    this.#reached = Promise.withResolvers();
    return this.#reached.promise;
  }

  async stop(): Promise<void> {
    this.#consumer.stop();
    await this.#running;
  }
}
