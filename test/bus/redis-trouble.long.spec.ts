import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Redis } from "ioredis";
import pino from "pino";
import type { Bus } from "../../src/bus/bus.ts";
import { createRedisBus } from "../../src/bus/redis/bus.ts";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { extent, inWholeRun } from "../support/extent.ts";
import { type RedisServer, startRedisServer } from "../support/redis.ts";
import { type Forwarder, startForwarder } from "./forwarder.ts";
import { applied, countApplied, openModule, publish, range, remember, until } from "./modules.ts";

const STREAM = "quartet:log:orders";

/** A shop of one publisher and its subscribers, each with a bus of its own, as in processes of their own. */
class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), "shop-"));
  readonly lines: string[] = [];
  readonly buses: Bus[] = [];
  readonly #stores = new Map<string, SqliteStore>();
  readonly #url: string;
  readonly #keyPrefix: string;
  readonly #subscribers: readonly string[];
  /** What its processes are told, as users would. */
  deployment: string | undefined;

  constructor(url: string, { keyPrefix = "quartet:", subscribers = ["products"], deployment = "one" } = {}) {
    this.#url = url;
    this.deployment = deployment;
    this.#keyPrefix = keyPrefix;
    this.#subscribers = subscribers;
  }

  store(name: string): SqliteStore {
    const store = this.#stores.get(name) ?? openModule(name, this.folder);
    this.#stores.set(name, store);
    return store;
  }

  async start(name: string): Promise<Bus> {
    const logger = pino({ level: "info" }, { write: (line: string) => void this.lines.push(line) });
    const settings = { url: this.#url, keyPrefix: this.#keyPrefix, deployment: () => this.deployment, logger };
    const bus = createRedisBus({ ...settings, subscribers: { orders: this.#subscribers } });
    this.buses.push(bus);
    bus.join(this.store(name), name === "orders" ? [] : [remember("orders")]);
    await bus.start();
    return bus;
  }

  async startAll(): Promise<void> {
    for (const name of ["orders", "products"]) await this.start(name);
  }

  publish = (numbers: readonly number[]) => publish(this.store("orders"), numbers);
  applied = (name = "products") => applied(this.store(name), "orders");
  statuses = () => this.buses.map((bus) => bus.status().status);

  async hasApplied(numbers: readonly number[], name = "products", timeoutMs = 60_000): Promise<void> {
    const count = () => countApplied(this.store(name), "orders");
    await until(`${name} has applied all`, () => count() >= numbers.length, timeoutMs);
    expect(this.applied(name)).to.deep.equal(numbers);
  }

  async stop(): Promise<void> {
    await Promise.all(this.buses.splice(0).map((bus) => bus.stop(500)));
    for (const store of this.#stores.values()) await store.close();
    this.#stores.clear();
  }
}

/** Less than a command may take, counted in steps: one in which this process stands still is no longer than another. */
async function nearlyASecondAwake(): Promise<void> {
  for (let step = 0; step < 40; step += 1) await sleep(20);
}

describe("Redis in trouble", () => {
  let server: RedisServer;
  let redis: Redis;
  let shops: Shop[];

  function open(...args: ConstructorParameters<typeof Shop>): Shop {
    const shop = new Shop(...args);
    shops.push(shop);
    return shop;
  }

  beforeEach(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url);
    shops = [];
  });
  afterEach(async () => {
    await Promise.all(shops.map((shop) => shop.stop()));
    for (const { folder } of shops) rmSync(folder, { recursive: true });
    redis.disconnect();
    await server.stop();
  });

  describe("behind one address, when another becomes the primary", () => {
    let other: RedisServer;
    let address: Forwarder;

    beforeEach(async () => {
      other = await startRedisServer();
      address = await startForwarder(server.port);
    });
    afterEach(async () => {
      await address.close();
      await other.stop();
    });

    it("goes on with the new one by itself, and loses nothing", async () => {
      const shop = open(`redis://127.0.0.1:${address.port}`);
      await shop.startAll();
      await shop.publish(range(1, 50));
      await shop.hasApplied(range(1, 50));
      address.target = other.port;
      await redis.replicaof("127.0.0.1", other.port);
      for (let n = 51; n <= 150; n++) await shop.publish([n]);
      await shop.hasApplied(range(1, 150));
      await until("it runs", () => shop.statuses().every((status) => status === "running"));
    });

    it("is down while nothing can be written, though it can be read", async () => {
      const shop = open(`redis://127.0.0.1:${address.port}`);
      await shop.startAll();
      await shop.publish([1]);
      await shop.hasApplied([1]);
      await redis.replicaof("127.0.0.1", other.port);
      await until("it is told", () => shop.statuses().every((status) => status === "down"));
      await sleep(1_500);
      expect(shop.statuses(), "and stays told").to.deep.equal(["down", "down"]);
      await redis.replicaof("NO", "ONE");
      await shop.publish([2]);
      await shop.hasApplied([1, 2]);
      await until("it runs", () => shop.statuses().every((status) => status === "running"));
    });
  });

  inWholeRun("a Redis whose memory is smaller than the log", () => {
    describe("whose memory is smaller than the log", function () {
      this.timeout(600_000);
      const COUNT = 40_000;

      async function limitMemory(): Promise<void> {
        const used = /used_memory:(\d+)/.exec(await redis.info("memory"))?.[1];
        await redis.config("SET", "maxmemory", String(Number(used) + 8_500_000));
      }

      it("is filled anew from where the subscribers stand, when it has lost all", async () => {
        const shop = open(server.url);
        await shop.startAll();
        await shop.publish(range(1, COUNT));
        await shop.hasApplied(range(1, COUNT), "products", 120_000);
        await limitMemory();
        await redis.flushall();
        await shop.publish(range(COUNT + 1, COUNT + 10));
        await shop.hasApplied(range(1, COUNT + 10));
        expect(await redis.xlen(STREAM)).to.be.below(100);
      });

      it("is not filled by a subscriber that is away, who gets all when it comes", async () => {
        const shop = open(server.url, { subscribers: ["products", "mail"] });
        await limitMemory();
        await shop.startAll();
        for (let from = 1; from < COUNT; from += 5_000) {
          await shop.publish(range(from, from + 4_999));
          await shop.hasApplied(range(1, from + 4_999));
        }
        await until("the stream is trimmed", async () => (await redis.xlen(STREAM)) < 5_000);
        await shop.start("mail");
        await shop.hasApplied(range(1, COUNT), "mail", 120_000);
        await shop.publish([COUNT + 1]);
        await shop.hasApplied(range(1, COUNT + 1));
        expect(shop.lines.filter((line) => line.includes("OOM"))).to.deep.equal([]);
      });
    });
  });

  const RUBBISH: Readonly<Record<string, (redis: Redis) => Promise<unknown>>> = {
    "an id that is no safe integer": (redis) => redis.xadd(STREAM, "9999999999999999999-0", "epoch", "x"),
    "an id between two rows": (redis) => redis.xadd(STREAM, "50-5", "epoch", "x", "previous_epoch", "x", "event", "{}"),
    "an event that is no JSON": (redis) =>
      redis.xadd(STREAM, "51-0", "epoch", "x", "previous_epoch", "x", "event", "{"),
    "an entry without fields of ours": (redis) => redis.xadd(STREAM, "51-0", "a", "b"),
    "a stream that has had a higher id": async (redis) => {
      await redis.xadd(STREAM, "5000-0", "a", "b");
      await redis.xdel(STREAM, "5000-0");
    },
    "another type of key": (redis) => redis.set(STREAM, "text"),
    "a place that is none": async (redis) => {
      await redis.del("quartet:holder", "quartet:holder:orders", "quartet:holder:products");
      for (const key of ["quartet:holder", "quartet:holder:orders"]) await redis.hset(key, "a", "b");
    },
    "reports that are none": (redis) => redis.set(`${STREAM}:reports`, "text"),
    "reports that are no numbers": (redis) => redis.hset(`${STREAM}:reports`, "products", "text", "#floor", "text"),
  };
  const rubbish = Object.entries(RUBBISH);
  for (const [what, put] of extent("more rubbish in a stream", rubbish, rubbish.slice(0, 3))) {
    it(`repairs ${what} from the log, in few lines`, async () => {
      const shop = open(server.url);
      await shop.startAll();
      await shop.publish(range(1, 50));
      await shop.hasApplied(range(1, 50));
      await put(redis);
      await shop.publish(range(51, 100));
      await shop.hasApplied(range(1, 100));
      await until("it runs", () => shop.statuses().every((status) => status === "running"));
      expect(shop.lines.filter((line) => !line.includes('"level":30')).length).to.be.below(8);
    });
  }

  it("repairs rows that are missing in its midst", async () => {
    const shop = open(server.url);
    await shop.start("orders");
    await shop.publish(range(1, 100));
    await until("all are there", async () => (await redis.xlen(STREAM)) === 100);
    await redis.xdel(STREAM, "40-0", "41-0");
    await shop.start("products");
    await shop.hasApplied(range(1, 100));
  });

  it("hears broadcasts again when what kept it from listening has passed", async () => {
    const shop = open(server.url);
    await shop.startAll();
    const heard: unknown[] = [];
    for (const bus of shop.buses) bus.onBroadcast("topic", (message) => void heard.push(message));
    await until("it runs", () => shop.statuses().every((status) => status === "running"));
    await redis.call("ACL", "SETUSER", "default", "resetchannels");
    await redis.call("CLIENT", "KILL", "TYPE", "pubsub");
    await until("it is told", () => shop.statuses().every((status) => status === "down"));
    await redis.call("ACL", "SETUSER", "default", "allchannels");
    await until("it runs again", () => shop.statuses().every((status) => status === "running"));
    shop.buses[0]?.broadcast("topic", "to all");
    await until("both have heard it", () => heard.length === 2);
  });

  it("keeps no module that leaves, and works for the others when it answers again", async () => {
    const shop = open(server.url);
    await shop.start("orders");
    const bus = await shop.start("products");
    await shop.publish(range(1, 3));
    await shop.hasApplied(range(1, 3));
    server.pause();
    await until("its silence is noticed", () => bus.status().status === "down");
    const left = bus.leave("products", 60_000).then(() => "left");
    expect(await Promise.race([left, nearlyASecondAwake()]), "not before a command has failed").to.equal("left");
    server.resume();
    await until("it works", () => bus.status().status === "running");
    bus.join(shop.store("products"), [remember("orders")]);
    await shop.publish([4]);
    await shop.hasApplied(range(1, 4));
  });

  it("before version 7 is written to with scripts that it knows", async () => {
    const old = await startForwarder(server.port, (bytes) =>
      Buffer.from(bytes.toString("latin1").replaceAll("#!lua", "#?lua"), "latin1"),
    );
    const shop = open(`redis://127.0.0.1:${old.port}`);
    await shop.startAll();
    await shop.publish(range(1, 50));
    await shop.hasApplied(range(1, 50));
    await until("the stream is trimmed", async () => (await redis.xlen(STREAM)) === 1);
    await until("it runs", () => shop.statuses().every((status) => status === "running"));
    await shop.stop();
    await old.close();
  });

  describe("that two shops use", () => {
    const DEPLOYMENT = ["quartet:holder"];
    const DATABASES = ["quartet:holder:orders", "quartet:holder:products"];

    /** Has places stay with who holds them until others are told: all are in this process, which may stand still longer than a lease. */
    async function keepPlaces(keys: readonly string[], untilTold: () => Promise<void>): Promise<void> {
      const keep = () => Promise.all(keys.map((key) => redis.pexpire(key, 120_000))).catch(() => {});
      const timer = setInterval(keep, 10);
      try {
        await untilTold();
      } finally {
        clearInterval(timer);
      }
    }

    it("lets neither apply what is the other's, and both are told", async () => {
      const [first, second] = [open(server.url), open(server.url)];
      await first.startAll();
      await first.publish(range(1, 20));
      await first.hasApplied(range(1, 20));
      await keepPlaces(DATABASES, async () => {
        await second.startAll();
        await second.publish(range(101, 120));
        await until("the second is told", () => second.statuses().every((status) => status === "down"));
      });
      await until("the first is told", () => first.statuses().every((status) => status === "degraded"));
      await first.publish(range(21, 40));
      await first.hasApplied(range(1, 40));
      expect(second.applied()).to.deep.equal([]);
      for (const { lines } of [first, second]) {
        expect(lines.filter((line) => line.includes("REDIS_PREFIX"))).to.have.length(2); // of each module
      }
      await first.stop();
      await sleep(1_500);
      expect(second.statuses(), "the first may just start again").to.deep.equal(["down", "down"]);
      expect(second.applied()).to.deep.equal([]);
    });

    it("knows a copy of a shop from the shop that runs", async () => {
      const original = open(server.url);
      await original.startAll();
      await original.publish(range(1, 20));
      await original.hasApplied(range(1, 20));
      await original.stop();
      const copy = open(server.url);
      cpSync(original.folder, copy.folder, { recursive: true });
      await original.startAll();
      await original.publish([21]);
      await original.hasApplied(range(1, 21));
      await keepPlaces(DATABASES, async () => {
        await copy.startAll();
        await copy.publish(range(901, 920));
        await until("the copy is told", () => copy.statuses().every((status) => status === "down"));
      });
      await until("so is the original", () => original.statuses().every((status) => status === "degraded"));
      expect(copy.applied()).to.deep.equal(range(1, 20));
      expect(original.applied()).to.deep.equal(range(1, 21));
    });

    it("keeps a copy out of the place of a module that is away, and gives it to nobody but its own", async () => {
      const original = open(server.url, { deployment: "original" });
      await original.startAll();
      await original.publish(range(1, 20));
      await original.hasApplied(range(1, 20));
      const copy = open(server.url, { deployment: "copy" });
      await original.stop();
      cpSync(original.folder, copy.folder, { recursive: true });
      await original.start("orders");
      await original.publish([21]);
      await sleep(4_500); // the place of products has long been free
      await keepPlaces(DEPLOYMENT, async () => {
        await copy.startAll();
        await copy.publish(range(901, 920));
        await until("the copy is told", () => copy.statuses().every((status) => status === "down"));
      });
      await until("so is the original", () => original.statuses().every((status) => status === "degraded"));
      await original.start("products");
      await original.hasApplied(range(1, 21), "products", 20_000); // sooner than a place is given away
      expect(copy.applied()).to.deep.equal(range(1, 20));
      for (const { lines } of [original, copy]) {
        expect(lines.filter((line) => line.includes("REDIS_PREFIX"))).to.have.length(2); // of each process
      }
    });

    it("lets only one of two have all places that start in the same moment", async () => {
      const shops = [open(server.url, { deployment: "a" }), open(server.url, { deployment: "b" })];
      const isKeptOut = ({ buses }: Shop) =>
        buses.every((bus) => bus.status().detail?.includes("this one publishes and applies nothing") === true);
      await keepPlaces(DEPLOYMENT, async () => {
        await Promise.all(shops.map((shop, n) => shop.start(["orders", "products"][n] ?? "")));
        await Promise.all(shops.map((shop, n) => shop.start(["products", "orders"][n] ?? "")));
        await Promise.all(shops.map((shop, n) => shop.publish(range(n * 100 + 1, n * 100 + 20))));
        await until("one is told", () => shops.some(isKeptOut));
      });
      const [out, other] = shops.every((shop, n) => isKeptOut(shop) === (n === 0)) ? shops : shops.toReversed();
      await other?.hasApplied(other === shops[0] ? range(1, 20) : range(101, 120));
      expect(out?.applied()).to.deep.equal([]);
    });

    it("gives the place on to the same deployment under another name, as when users has moved", async () => {
      const shop = open(server.url, { deployment: "before" });
      await shop.startAll();
      await shop.publish([1]);
      await shop.hasApplied([1]);
      shop.deployment = "after";
      await redis.pexpire("quartet:holder", 120_000); // it is not waited for
      await until("it is known", async () => (await redis.get("quartet:holder")) === "after");
      await shop.publish([2]);
      await shop.hasApplied([1, 2]);
      await until("it runs", () => shop.statuses().every((status) => status === "running"));
    });

    it("is left alone, and that is told, until it is known which deployment this is", async () => {
      const shop = open(server.url);
      shop.deployment = undefined;
      await shop.startAll();
      await shop.publish([1]);
      await until("it is told", () => shop.statuses().every((status) => status === "degraded"));
      await sleep(500);
      expect(await redis.keys("*")).to.deep.equal([]);
      shop.deployment = "one";
      await shop.hasApplied([1]);
      await until("it runs", () => shop.statuses().every((status) => status === "running"));
    });

    it("does not let them meet where each has a prefix of its own", async () => {
      const [first, second] = [open(server.url, { keyPrefix: "a:" }), open(server.url, { keyPrefix: "b:" })];
      await Promise.all([first.startAll(), second.startAll()]);
      await Promise.all([first.publish(range(1, 20)), second.publish(range(101, 120))]);
      await Promise.all([first.hasApplied(range(1, 20)), second.hasApplied(range(101, 120))]);
      const heard: unknown[] = [];
      for (const bus of second.buses) bus.onBroadcast("topic", (message) => void heard.push(message));
      await until("its own is heard", () => {
        first.buses[0]?.broadcast("topic", "of the first"); // again and again, as a channel may not be listened to yet
        second.buses[0]?.broadcast("topic", "of the second");
        return heard.length >= 2;
      });
      expect(new Set(heard)).to.deep.equal(new Set(["of the second"]));
      expect((await redis.keys("*")).filter((key) => !/^[ab]:/.test(key))).to.deep.equal([]);
    });

    it("has a place for who starts again at once, also after a kill", async () => {
      const shop = open(server.url);
      await shop.startAll();
      await shop.publish([1]);
      await shop.hasApplied([1]);
      const killed = shop.buses.splice(0); // their leases are not given free
      const holder = await redis.get("quartet:holder:orders");
      await Promise.all(killed.map((bus) => bus.stop(0)));
      await redis.set("quartet:holder:orders", String(holder), "PX", 120_000);
      await shop.startAll();
      await shop.publish([2]);
      await shop.hasApplied([1, 2]);
    });
  });
});
