import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import type { ModuleName } from "../../src/runtime/modules.ts";
import { readPlacement, writePlacement } from "../../src/runtime/move/placement-file.ts";
import { type Answer, type Api, addProduct, createApi, type OrderBody, type Session, signIn } from "../support/api.ts";
import { assertBalanced } from "../support/books.ts";
import { readStream } from "../support/event-stream.ts";
import { moveModule } from "../support/move-module.ts";
import { freePorts, startShopProcess, until } from "../support/process.ts";
import { type RedisServer, startRedisServer } from "../support/redis.ts";
import { type ExtraProcess, oneProcess, type ProcessShop, TEST_SETTINGS } from "../support/topology.ts";

/** Fifty requests a second. */
const EVERY_MS = 20;

const STOCK = 10_000;

interface Status {
  readonly deployment?: string;
  readonly modules: readonly { readonly name: string; readonly placement: string; readonly status: string }[];
  readonly bus: { readonly kind: string };
}

describe("a module that moves to another process and back while the shop runs", () => {
  let redis: RedisServer;
  let shop: ProcessShop;
  let standby: ExtraProcess;
  let api: Api;
  let admin: Session;
  let opening: Map<string, number>;

  before(async () => {
    redis = await startRedisServer();
    shop = await oneProcess.start();
    standby = await shop.startBeside("orders", { STANDBY: "on" });
    api = createApi(shop.url);
    admin = await signIn(api);
    const products = [await addProduct(api, admin, STOCK), await addProduct(api, admin, STOCK)];
    opening = new Map(products.map((product) => [product, STOCK]));
  });

  after(async () => {
    await api?.close();
    await standby?.kill();
    await shop?.stop();
    await redis?.stop();
  });

  const move = (to: "here" | { url: string }, name: ModuleName = "orders") =>
    moveModule(shop.dataDir, name, to, redis.url);

  const statusOf = async () => (await api.get("/status")).body as Status;
  const placementOf = async (name: string) =>
    (await statusOf()).modules.find((module) => module.name === name)?.placement;

  /** Resolves when an order was taken, and then confirmed. */
  async function orderUntilConfirmed(): Promise<void> {
    const [product_id = ""] = opening.keys();
    const placed: OrderBody[] = [];
    await until("orders are taken", async () => {
      const answer = await api.post("/orders", { product_id, quantity: 1 }, admin.token).catch(() => undefined);
      if (answer?.status === 201) placed.push(answer.body as OrderBody);
      return placed.length > 0;
    });
    const isConfirmed = async () =>
      ((await api.get(`/orders/${placed[0]?.id}`, admin.token)).body as OrderBody).status === "confirmed";
    await until("it is confirmed", isConfirmed);
  }

  it("is moved by one of two who ask at once, while the other is told so", async () => {
    const asked = await Promise.allSettled([move({ url: standby.url }), move({ url: standby.url })]);
    const told = asked.map((each) => (each.status === "fulfilled" ? each.value : each.reason.message));
    expect(told).to.include(`orders is at ${standby.url}.`);
    expect(told).to.include("orders is moving just now: one module moves at a time");
    await move("here");
  });

  it("fails no request that comes meanwhile, loses no order, and moves events to Redis", async () => {
    const load = startRequests(api, admin, [...opening.keys()]);
    const told = await readStream(shop.url, { authorization: `Bearer ${admin.token}` });
    await load.more(5);
    for (let times = 0; times < 2; times += 1) {
      expect(await move({ url: standby.url })).to.equal(`orders is at ${standby.url}.`);
      expect(await placementOf("orders")).to.equal("remote");
      await load.more(8);
      expect(await move("here")).to.equal("orders is home.");
      expect(await placementOf("orders")).to.equal("in-process");
      await load.more(8);
    }
    for (const state of [true, false]) {
      await told.next("gate", ({ module, closed }) => module === "orders" && closed === state);
    }
    told.close();
    expect(await load.stop()).to.deep.equal([]);
    expect(readPlacement(shop.dataDir, "orders")).to.include({ generation: 6, owner: "home" });
    await shop.settled();
    expect(await assertBalanced(api, admin, opening)).to.have.length.of.at.least(load.orders());
  });

  it("is where it was after either process was killed, and after both were", async () => {
    await move({ url: standby.url });
    await shop.kill("gateway");
    await shop.restart("gateway");
    expect(await placementOf("orders")).to.equal("remote");
    // It was not told of a Redis by its settings: who has the module says which it is.
    await until("events go by Redis", async () => (await statusOf()).bus.kind === "redis");
    const port = new URL(standby.url).port;
    await standby.kill();
    standby = await shop.startBeside("orders", { STANDBY: "on", ORDERS_PORT: port });
    await orderUntilConfirmed();
    const before = readPlacement(shop.dataDir, "orders");
    await Promise.all([shop.kill("gateway"), standby.kill()]);
    const started = shop.startBeside("orders", { STANDBY: "on", ORDERS_PORT: port });
    [standby] = await Promise.all([started, shop.restart("gateway")]);
    await orderUntilConfirmed();
    expect(readPlacement(shop.dataDir, "orders"), "nobody had to take its place").to.deep.equal(before);
    await move("here");
    expect(await placementOf("orders")).to.equal("in-process");
    await shop.settled();
    await assertBalanced(api, admin, opening);
  });

  it("goes home when its standby is asked to end, and fails no request that comes meanwhile", async () => {
    await move({ url: standby.url });
    const load = startRequests(api, admin, [...opening.keys()]);
    await load.more(5);
    expect(await standby.terminate()).to.include({ code: 0 });
    expect(readPlacement(shop.dataDir, "orders")).to.include({ owner: "home" });
    expect(await placementOf("orders")).to.equal("in-process");
    await load.more(5);
    expect(await load.stop()).to.deep.equal([]);
    await shop.settled();
    await assertBalanced(api, admin, opening);
  });

  it("is waited for where its record was copied along with its database, and the operator is told for whom and how long", async () => {
    const copy = join(shop.dataDir, "copy");
    await mkdir(copy);
    writePlacement(copy, "orders", { generation: 1, owner: "127.0.0.1:9", url: "http://127.0.0.1:9" }, undefined);
    const [port] = await freePorts(1);
    const waiting = startShopProcess({ env: { ...TEST_SETTINGS, DATA_DIR: copy, PORT: `${port}` }, cwd: copy });
    const told = /orders belongs to 127\.0\.0\.1:9, as is written beside its database, .* within 10 s/;
    await until("it says so", () => told.test(waiting.output()));
    await waiting.kill();
  });

  it("leaves the deployment its name at every moment, when it is users", async () => {
    const another = await shop.startBeside("users", { STANDBY: "on" });
    try {
      await move(another, "users"); // a standby that has never had them may not know the name yet
      const { deployment } = await statusOf();
      const told: unknown[] = [];
      let isOver = false;
      const listen = async (url: string) => {
        while (!isOver) {
          const { modules, ...status } = (await (await fetch(`${url}/status`)).json()) as Status;
          if (modules.some(({ name, status }) => name === "users" && status === "running"))
            told.push(status.deployment);
        }
      };
      const listening = [shop.url, another.url].map(listen);
      for (const to of ["here", another, "here"] as const) await move(to, "users");
      isOver = true;
      await Promise.all(listening);
      expect(new Set(told)).to.deep.equal(new Set([deployment]));
    } finally {
      await another.kill();
    }
  });

  it("stays where it is when there is nowhere to go, and the operator is told why", async () => {
    const nowhere = startShopProcess({
      env: { ...shop.data, NODE_ENV: "test", REDIS_URL: redis.url },
      args: ["move", "orders", "--to", "http://127.0.0.1:9"],
      cwd: shop.dataDir,
    });
    expect(await nowhere.exited).to.include({ code: 1 });
    expect(nowhere.output()).to.contain("no standby for orders at 127.0.0.1:9");
    expect(await placementOf("orders")).to.equal("in-process");
  });
});

/** Requests of every kind, at a steady rate, whatever becomes of those before. */
interface Requests {
  /** Resolves when so many more orders than now have been taken. */
  more(orders: number): Promise<void>;
  orders(): number;
  /** Ends it; resolves what was answered other than wanted. */
  stop(): Promise<readonly string[]>;
}

function startRequests(api: Api, admin: Session, products: readonly string[]): Requests {
  const unwanted: string[] = [];
  const running: Promise<void>[] = [];
  let newest: string | undefined;
  let taken = 0;
  let isStopped = false;

  async function ask(n: number): Promise<void> {
    const wait = { prefer: "wait=5" };
    const kinds = [
      () => order(`order ${n}`, products[n % products.length]),
      () => expectStatus(200, api.get("/products?limit=5")),
      () => (newest === undefined ? undefined : expectStatus(200, api.get(`/orders/${newest}`, admin.token, wait))),
      () => expectStatus(200, api.get("/users/me", admin.token)),
    ];
    await kinds[n % kinds.length]?.();
  }

  async function order(key: string, product: string | undefined): Promise<void> {
    const body = { product_id: product, quantity: 1 };
    const answer = await expectStatus(201, api.post("/orders", body, admin.token, { "idempotency-key": key }));
    if (answer === undefined) return;
    newest = (answer.body as OrderBody).id;
    taken += 1;
  }

  async function expectStatus(status: number, asked: Promise<Answer>): Promise<Answer | undefined> {
    const answer = await asked.catch((error: unknown) => ({ status: 0, headers: {}, body: String(error) }));
    if (answer.status === status) return answer;
    unwanted.push(`${answer.status} ${JSON.stringify(answer.body)}`);
    return undefined;
  }

  async function goOn(): Promise<void> {
    for (let n = 0; !isStopped; n += 1) {
      running.push(ask(n));
      await sleep(EVERY_MS);
    }
  }

  const going = goOn();
  return {
    more(orders) {
      const goal = taken + orders;
      return until(`${goal} orders are taken`, () => taken >= goal || unwanted.length > 0);
    },
    orders: () => taken,
    async stop() {
      isStopped = true;
      await going;
      await Promise.all(running);
      return unwanted;
    },
  };
}
