import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Redis } from "ioredis";
import {
  type Api,
  addProduct,
  allOrders,
  bodyOf,
  createApi,
  type OrderBody,
  type Session,
  signIn,
  stockOf,
} from "../support/api.ts";
import { until } from "../support/process.ts";
import { PASSWORD, type SentinelRedis, startSentinelRedis } from "../support/sentinels.ts";
import { fourProcesses, type ProcessShop } from "../support/topology.ts";

const STOCK = 1_000_000;
const BUYERS = 2;

/** A failover has several waits in turn, which take the longer the busier the machine is. */
const WITHIN_MS = 120_000;

describe("four processes whose Redis sentinels look after", function () {
  this.timeout(240_000);
  let redis: SentinelRedis;
  let shop: ProcessShop;
  let api: Api;
  let admin: Session;
  let replica: Redis;

  before(async () => {
    redis = await startSentinelRedis();
    shop = await fourProcesses.start({ REDIS_URL: redis.url, RATE_LIMIT: "1000000/3600s", LOG_LEVEL: "info" });
    api = createApi(shop.url);
    admin = await signIn(api);
    replica = new Redis({ port: redis.replica.port, host: "127.0.0.1", password: PASSWORD });
    replica.on("error", () => {});
  });
  after(async () => {
    replica?.disconnect();
    await api?.close();
    await shop?.stop();
    await redis?.stop();
  });

  /** The number of the newest event of orders that this server has. */
  async function head(server: Redis): Promise<number> {
    const [newest] = await server.xrevrange("quartet:log:orders", "+", "-", "COUNT", 1);
    return Number.parseInt(newest?.[0] ?? "0", 10);
  }

  const requestsCounted = async () => {
    const keys = await replica.keys("quartet:*");
    const found = await Promise.all(keys.map((key) => replica.hget(key, "requests").catch(() => null)));
    return found.reduce((sum, count) => sum + Number(count ?? 0), 0);
  };
  const busStatus = async () => bodyOf<{ bus: { status: string } }>(await api.get("/status")).bus.status;

  it("go on with the replica that takes the place of their primary, which had more: no order fails, is lost or counts twice", async () => {
    const product = await addProduct(api, admin, STOCK);
    const placed = new Set<string>();
    const failed: unknown[] = [];
    let isOver = false;
    const buy = async () => {
      while (!isOver) {
        const answer = await api.post("/orders", { product_id: product, quantity: 1 }, admin.token);
        if (answer.status === 201) placed.add(bodyOf<OrderBody>(answer).id);
        else failed.push(answer.body);
        await sleep(20);
      }
    };
    const buying = Array.from({ length: BUYERS }, buy);
    const more = (count: number) => {
      const enough = placed.size + count;
      return until("orders go on", () => placed.size >= enough, WITHIN_MS);
    };
    const primary = new Redis({ port: redis.primary.port, host: "127.0.0.1", password: PASSWORD });
    try {
      await until("events reach the replica", async () => (await head(replica)) > 0);
      await redis.cutReplica();
      const reached = await head(replica);
      await until("the primary has more", async () => (await head(primary)) > reached + 10);
      expect(await head(replica)).to.equal(reached);
    } finally {
      primary.disconnect();
    }
    await redis.losePrimary();
    await more(10);
    const isPrimary = async () => (await redis.primaryPort()) === redis.replica.port;
    await until("the replica is the primary", isPrimary, WITHIN_MS);
    await until("the bus runs again", async () => (await busStatus()) === "running", WITHIN_MS);
    await more(10);
    isOver = true;
    await Promise.all(buying);
    expect(failed).to.deep.equal([]);
    await shop.settled();
    const orders = (await allOrders(api, admin)).filter(({ id }) => placed.has(id));
    expect(orders.map(({ status }) => status)).to.deep.equal(Array(placed.size).fill("confirmed"));
    expect(await stockOf(api, product)).to.equal(STOCK - placed.size);
  });

  it("count requests in it", async () => {
    const before = await requestsCounted();
    await until("requests are counted there", async () => {
      await api.get("/products?limit=1");
      return (await requestsCounted()) > before;
    });
  });

  it("tell nobody the password", async () => {
    const told = JSON.stringify([bodyOf(await api.get("/status")), shop.process("orders").output()]);
    expect(told).to.include("Redis does not work");
    expect(told).to.not.include(PASSWORD);
  });
});
