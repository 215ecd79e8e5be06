import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Bus } from "../../src/bus/bus.ts";
import { createMemoryBus, type MemoryBusOptions } from "../../src/bus/memory/bus.ts";
import { createRedisBus } from "../../src/bus/redis/bus.ts";
import { parseFaults } from "../../src/call/faults.ts";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import type { Unit, Work } from "../../src/store/unit.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { applied, countApplied, openModule, publish, range, remember, silent, until } from "./modules.ts";

type BusOptions = Omit<MemoryBusOptions, "logger">;

let redis: TestRedis;
let systems = 0;
let subscribersOfOrders = 1;

/** Every bus keeps the same promises. */
const buses: { name: string; create: (options?: BusOptions) => Bus }[] = [
  { name: "memory", create: (options = {}) => createMemoryBus({ logger: silent, ...options }) },
  {
    name: "Redis",
    create: (options = {}) =>
      createRedisBus({
        url: redis.url,
        logger: silent,
        keyPrefix: `test-${process.pid}-${systems}:`,
        subscribers: { orders: ["products", "stuck"].slice(0, subscribersOfOrders), products: ["orders"] },
        ...options,
      }),
  },
];

before(async () => {
  redis = await startRedis();
});

after(() => redis.stop());

for (const { name, create } of buses) {
  describe(`the ${name} bus`, () => {
    let folder: string;
    let orders: SqliteStore;
    let products: SqliteStore;
    const started: Bus[] = [];

    async function start(bus: Bus): Promise<Bus> {
      started.push(bus);
      await bus.start();
      return bus;
    }

    /** Orders publishes, products remembers. */
    function startOneWay(options?: BusOptions, before?: Parameters<typeof remember>[1]): Promise<Bus> {
      const bus = create(options);
      bus.join(orders, []);
      bus.join(products, [remember("orders", before)]);
      return start(bus);
    }

    const allApplied = (count: number) => () => countApplied(products, "orders") >= count;

    beforeEach(() => {
      systems += 1;
      subscribersOfOrders = 1;
      folder = mkdtempSync(join(tmpdir(), "bus-"));
      orders = openModule("orders", folder);
      products = openModule("products", folder);
    });

    afterEach(async () => {
      await Promise.all(started.splice(0).map((bus) => bus.stop(0)));
      await Promise.all([orders.close(), products.close()]);
      rmSync(folder, { recursive: true });
    });

    it("applies every event once, in the order of its publisher", async () => {
      await startOneWay();
      for (let first = 1; first <= 1_000; first += 100) await publish(orders, range(first, first + 99));
      await until("all are applied", allApplied(1_000));
      expect(applied(products, "orders")).to.deep.equal(range(1, 1_000));
    });

    it("applies many waiting events in one transaction", async () => {
      await publish(orders, range(1, 64));
      let writes = 0;
      const write: SqliteStore["write"] = (work) => {
        writes += 1;
        return products.write(work);
      };
      const bus = create();
      bus.join(orders, []);
      bus.join({ ...products, write }, [remember("orders")]);
      await start(bus);
      await until("the first ones, which go alone, are applied", allApplied(64));
      writes = 0;
      await publish(orders, range(65, 64 + 640));
      await until("all are applied", allApplied(704));
      expect(writes).to.be.within(10, 40);
    });

    it("applies nothing of another shop's database in the publisher's place, says so, and goes on with the right one", async () => {
      await publish(orders, [1, 2, 3]);
      await startOneWay();
      await until("all are applied", allApplied(3));
      for (const bus of started.splice(0)) await bus.stop(1_000);
      const own = orders;
      orders = openModule("orders", join(folder, "of-another-shop"));
      await publish(orders, range(101, 110));
      const bus = await startOneWay();
      await until("it is told", () => bus.status().detail?.includes("another shop's") === true);
      expect(bus.status().status).to.equal("degraded");
      expect(bus.stalled("products")).to.include("applies nothing of it");
      expect(applied(products, "orders")).to.deep.equal([1, 2, 3]);
      for (const bus of started.splice(0)) await bus.stop(0);
      await orders.close();
      orders = own;
      await publish(orders, [4]);
      const again = await startOneWay();
      await until("it goes on", allApplied(4));
      expect(applied(products, "orders")).to.deep.equal([1, 2, 3, 4]);
      await until("it runs", () => again.status().status === "running");
    });

    it("starts with what was committed while it did not run", async () => {
      await publish(orders, range(1, 300));
      await startOneWay();
      await until("all are applied", allApplied(300));
      expect(applied(products, "orders")).to.deep.equal(range(1, 300));
    });

    it("neither loses nor doubles events when it stops and starts in their midst", async () => {
      for (let round = 0; round < 6; round += 1) {
        const bus = await startOneWay();
        await publish(orders, range(round * 50 + 1, round * 50 + 50));
        await until("some are applied", allApplied(round * 40 + 1));
        await bus.stop(0);
      }
      await startOneWay();
      await until("all are applied", allApplied(300));
      expect(applied(products, "orders")).to.deep.equal(range(1, 300));
    });

    it("neither loses nor doubles events when two processes of one subscriber overlap", async () => {
      await Promise.all([startOneWay(), startOneWay()]);
      for (let first = 1; first <= 500; first += 50) await publish(orders, range(first, first + 49));
      await until("all are applied", allApplied(500));
      expect(applied(products, "orders")).to.deep.equal(range(1, 500));
    });

    it("never lets a slow subscriber delay its publisher, and catches up on what it does not keep in memory", async () => {
      const gate = Promise.withResolvers<void>();
      const write: SqliteStore["write"] = (work) => gate.promise.then(() => products.write(work));
      const bus = create();
      bus.join(orders, []);
      bus.join({ ...products, write }, [remember("orders")]);
      await start(bus);
      for (let first = 1; first <= 3_000; first += 250) await publish(orders, range(first, first + 249));
      expect(applied(products, "orders")).to.deep.equal([]);
      gate.resolve();
      await until("all are applied", allApplied(3_000));
      expect(applied(products, "orders")).to.deep.equal(range(1, 3_000));
    });

    it("carries the events that a subscriber answers with", async () => {
      const bus = create();
      bus.join(orders, [remember("products")]);
      const answer = (number: number, unit: Unit) =>
        unit.append({ type: "number.heard", subject: String(number), data: { number } });
      bus.join(products, [remember("orders", answer)]);
      await start(bus);
      await publish(orders, range(1, 200));
      await until("all answers are applied", () => countApplied(orders, "products") >= 200);
      expect(applied(orders, "products")).to.deep.equal(range(1, 200));
    });

    it("buries an event that cannot be applied after exactly five tries, and applies all others in order", async () => {
      const tries = new Map<number, number>();
      await startOneWay({}, (number) => {
        if (number % 100 !== 0) return undefined;
        tries.set(number, (tries.get(number) ?? 0) + 1);
        throw new Error(`${number} cannot be applied`);
      });
      for (let first = 1; first <= 1_000; first += 100) await publish(orders, range(first, first + 99));
      await until("all others are applied", allApplied(990));
      await until("the last is buried", async () => (await products.cursors.deadLetters()).length === 10);
      const healthy = range(1, 1_000).filter((number) => number % 100 !== 0);
      expect(applied(products, "orders")).to.deep.equal(healthy);
      const letters = (await products.cursors.deadLetters()).reverse();
      expect(letters.map(({ position }) => position.seq)).to.deep.equal(range(1, 10).map((hundreds) => hundreds * 100));
      expect(letters.map(({ attempts, error }) => `${attempts}: ${error}`)).to.include("5: 700 cannot be applied");
      expect([...tries.values()]).to.deep.equal(Array(10).fill(5));
    });

    it("undoes what a failed try has done, its answers included", async () => {
      const sayOnce = function* (number: number, unit: Unit): Work<void> {
        yield* unit.append({ type: "number.heard", subject: String(number), data: { number } });
        if (number === 2) throw new Error("2 cannot be applied");
      };
      await startOneWay({}, sayOnce);
      await publish(orders, range(1, 3));
      await until("the others are applied", allApplied(2));
      expect((await products.log.readAfter(0, 10)).map(({ event }) => JSON.parse(event).subject)).to.deep.equal([
        "1",
        "3",
      ]);
    });

    it("injects poison by subscriber and type of event", async () => {
      await startOneWay({ faults: parseFaults("products:number.said=poison") });
      await publish(orders, [1]);
      await publish(orders, [2], "number.sung");
      await until("the other type is applied", allApplied(1));
      expect(applied(products, "orders")).to.deep.equal([2]);
      expect((await products.cursors.deadLetters()).map(({ event, attempts }) => [event.type, attempts])).to.deep.equal(
        [["number.said", 5]],
      );
    });

    it("waits out a full disk of the subscriber without burying anything", async () => {
      await startOneWay();
      await publish(orders, range(1, 10));
      await until("the first are applied", allApplied(10));
      products.prepare<[]>("PRAGMA max_page_count = 1").get();
      await publish(orders, range(11, 2_000));
      await until("the disk is full", () => products.fault() !== undefined);
      products.prepare<[]>("PRAGMA max_page_count = 1000000").get();
      await until("all are applied", allApplied(2_000));
      expect(applied(products, "orders")).to.deep.equal(range(1, 2_000));
      expect(await products.cursors.deadLetters()).to.deep.equal([]);
    });

    it("has applied or keeps for the next start whatever was committed before it stopped", async () => {
      const bus = await startOneWay();
      await publish(orders, range(1, 300));
      await bus.stop(5_000);
      await publish(orders, range(301, 310));
      await startOneWay();
      await until("all are applied", allApplied(310));
      expect(applied(products, "orders")).to.deep.equal(range(1, 310));
    });

    it("deletes rows that all have applied for as long as the window says, but not the newest", async () => {
      await startOneWay({ pruneWindowMs: 200 });
      await publish(orders, range(1, 100));
      await until("old rows are deleted", async () => (await orders.log.floor()) === 100);
      await publish(orders, range(101, 120));
      await until("all are applied", allApplied(120));
      expect(applied(products, "orders")).to.deep.equal(range(1, 120));
    });

    it("deletes nothing that one of its subscribers may still need", async () => {
      const stuck = openModule("stuck", folder);
      subscribersOfOrders = 2;
      const bus = create({ pruneWindowMs: 200 });
      bus.join(orders, [remember("products")]);
      bus.join(products, [remember("orders")]);
      const waits = Promise.withResolvers<void>();
      const write: SqliteStore["write"] = (work) => waits.promise.then(() => stuck.write(work));
      bus.join({ ...stuck, write }, [remember("orders")]);
      await start(bus);
      await publish(orders, range(1, 100));
      await until("the other has applied all", allApplied(100));
      // What comes later to another log is deleted there, and once more.
      for (const newest of [100, 200]) {
        await publish(products, range(newest - 99, newest));
        await until("rows of another log are deleted", async () => (await products.log.floor()) === newest);
      }
      expect(await orders.log.floor()).to.equal(1);
      waits.resolve();
      await until("rows are deleted", async () => (await orders.log.floor()) === 100);
      await bus.stop(1_000);
      await stuck.close();
    });

    it("lets a subscriber without any cursor start at the floor of a pruned log", async () => {
      await publish(orders, range(1, 50));
      await orders.log.prune(40);
      await startOneWay();
      await until("the rest is applied", allApplied(11));
      expect(applied(products, "orders")).to.deep.equal(range(40, 50));
    });

    it("stops a subscription whose next events are gone, says so, and skips nothing", async () => {
      const first = await startOneWay();
      await publish(orders, range(1, 20));
      await until("the first are applied", allApplied(20));
      await first.stop(1_000);
      await publish(orders, range(21, 50));
      await orders.log.prune(40);
      const bus = await startOneWay();
      await until("the bus is degraded", () => bus.status().status === "degraded");
      await publish(orders, [51]);
      expect(bus.status().detail).to.include("products").and.include("orders");
      expect(applied(products, "orders")).to.deep.equal(range(1, 20));
    });

    it("tells everybody what is broadcast, as a copy, until they stop listening", async () => {
      const bus = await start(create());
      const heard: unknown[] = [];
      const message = { spans: [1, 2] };
      const off = bus.onBroadcast("spans", (what) => heard.push(what));
      await until("it is heard", () => {
        bus.broadcast("spans", message);
        return heard.length > 0;
      });
      expect(heard[0]).to.deep.equal(message);
      expect(heard[0]).not.to.equal(message);
      off();
      bus.onBroadcast("last", (what) => heard.push(what));
      const before = heard.length;
      await until("the other topic is heard", () => {
        bus.broadcast("spans", message);
        bus.broadcast("last", "end");
        return heard.includes("end");
      });
      expect(new Set(heard.slice(before))).to.deep.equal(new Set(["end"]));
    });
  });
}
