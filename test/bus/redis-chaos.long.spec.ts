import { mkdtempSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Redis } from "ioredis";
import pino from "pino";
import type { Bus } from "../../src/bus/bus.ts";
import { createRedisBus } from "../../src/bus/redis/bus.ts";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { type RedisServer, startRedisServer } from "../support/redis.ts";
import { applied, countApplied, openModule, publish, range, remember, until } from "./modules.ts";

/** A publisher and a subscriber, each with a bus of its own, as in two processes. */
describe("the Redis bus when Redis fails", () => {
  let server: RedisServer;
  let folder: string;
  let orders: SqliteStore;
  let products: SqliteStore;
  let buses: Bus[];
  let lines: string[];

  function createBus(): Bus {
    const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
    const bus = createRedisBus({ url: server.url, logger, subscribers: { orders: ["products"] } });
    buses.push(bus);
    return bus;
  }

  async function startPublisher(): Promise<Bus> {
    const bus = createBus();
    bus.join(orders, []);
    await bus.start();
    return bus;
  }

  async function startSubscriber(): Promise<Bus> {
    const bus = createBus();
    bus.join(products, [remember("orders")]);
    await bus.start();
    return bus;
  }

  /** Publishes all the while that something happens, and some more. @returns how many it published */
  async function underLoad(what: () => Promise<void>): Promise<number> {
    let count = 0;
    let over = false;
    const publishing = (async () => {
      for (let more = 10; more > 0; more -= over ? 1 : 0) {
        await publish(orders, range(count + 1, count + 10));
        count += 10;
        await sleep(5);
      }
    })();
    await what();
    over = true;
    await publishing;
    return count;
  }

  async function allApplied(count: number): Promise<void> {
    await someApplied(count);
    expect(applied(products, "orders")).to.deep.equal(range(1, count));
  }

  const someApplied = (count: number) => until(`${count} are applied`, () => countApplied(products, "orders") >= count);

  async function withRedis(work: (redis: Redis) => Promise<unknown>): Promise<void> {
    const redis = new Redis(server.url);
    await work(redis);
    redis.disconnect();
  }

  beforeEach(async () => {
    server = await startRedisServer();
    folder = mkdtempSync(join(tmpdir(), "bus-"));
    orders = openModule("orders", folder);
    products = openModule("products", folder);
    buses = [];
    lines = [];
  });

  afterEach(async () => {
    await Promise.all(buses.map((bus) => bus.stop(0)));
    await Promise.all([orders.close(), products.close()]);
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it("loses and doubles nothing when Redis is flushed", async () => {
    await Promise.all([startPublisher(), startSubscriber()]);
    const count = await underLoad(async () => {
      for (let flushes = 1; flushes <= 3; flushes += 1) {
        await someApplied(flushes * 50);
        await withRedis((redis) => redis.flushall());
      }
    });
    await allApplied(count);
  });

  it("loses and doubles nothing when Redis is killed and starts empty", async () => {
    await Promise.all([startPublisher(), startSubscriber()]);
    const count = await underLoad(async () => {
      await someApplied(50);
      await server.kill();
      await sleep(300);
      await server.start();
      await someApplied(100);
    });
    await allApplied(count);
  });

  it("loses and doubles nothing when Redis comes back with an old dump", async () => {
    await Promise.all([startPublisher(), startSubscriber()]);
    const count = await underLoad(async () => {
      await someApplied(50);
      await withRedis((redis) => redis.save());
      await copyFile(join(server.dir, "dump.rdb"), join(server.dir, "old.rdb"));
      await someApplied(150);
      await server.kill();
      await copyFile(join(server.dir, "old.rdb"), join(server.dir, "dump.rdb"));
      await server.start();
      await someApplied(200);
    });
    await allApplied(count);
  });

  it("loses and doubles nothing when the last entries or all entries of a stream are deleted", async () => {
    await Promise.all([startPublisher(), startSubscriber()]);
    const count = await underLoad(async () => {
      await someApplied(50);
      await withRedis(async (redis) => {
        const newest = await redis.xrevrange("quartet:log:orders", "+", "-", "COUNT", 5);
        await redis.xdel("quartet:log:orders", ...newest.map(([id]) => id));
        await sleep(100);
        await redis.xtrim("quartet:log:orders", "MAXLEN", 0);
      });
    });
    await allApplied(count);
  });

  it("lets commits go on while Redis hangs, says so in few lines, and catches up when it goes on", async () => {
    const [publisher] = await Promise.all([startPublisher(), startSubscriber()]);
    const count = await underLoad(async () => {
      await someApplied(50);
      server.pause();
      const newest = async () => (await orders.log.head())?.seq ?? 0;
      const before = await newest();
      await until("it is known to hang", () => publisher.status().status === "down");
      await until("commits went on", async () => (await newest()) > before + 200);
      server.resume();
    });
    await allApplied(count);
    await until("it is known to work", () => publisher.status().status === "running");
    expect(lines.filter((line) => line.includes("Redis")).length).to.be.within(1, 8);
  });

  it("starts before Redis does", async () => {
    await server.kill();
    const [publisher] = await Promise.all([startPublisher(), startSubscriber()]);
    await publish(orders, range(1, 100));
    expect(publisher.status()).to.include({ kind: "redis", status: "down" });
    await server.start();
    await allApplied(100);
    await until("it runs", () => publisher.status().status === "running");
    expect(publisher.status()).to.deep.equal({ kind: "redis", status: "running" });
  });

  it("starts the subscriber long after its publisher, which may be gone by then", async () => {
    const publisher = await startPublisher();
    await publish(orders, range(1, 500));
    await publisher.stop(5_000);
    await startSubscriber();
    await allApplied(500);
  });

  it("goes on when the memory of Redis is full and the subscriber comes late", async () => {
    await withRedis(async (redis) => {
      const used = /used_memory:(\d+)/.exec(await redis.info("memory"))?.[1];
      await redis.config("SET", "maxmemory", String(Number(used) + 800_000));
    });
    await startPublisher();
    await publish(orders, range(1, 3_000));
    await until("it is full", () => lines.some((line) => line.includes("OOM")));
    await startSubscriber();
    await allApplied(3_000);
  });

  it("keeps in the stream only what a subscriber has not applied yet", async () => {
    await Promise.all([startPublisher(), startSubscriber()]);
    await publish(orders, range(1, 200));
    await allApplied(200);
    await withRedis((redis) =>
      until("the stream is trimmed", async () => (await redis.xlen("quartet:log:orders")) === 1),
    );
  });

  it("stops at once while Redis hangs", async () => {
    const publisher = await startPublisher();
    await until("it works", () => publisher.status().status === "running");
    server.pause();
    await publish(orders, [1]);
    await publisher.stop(1_500);
    buses = [];
    server.resume();
    await startPublisher();
    await startSubscriber();
    await allApplied(1);
  });
});
