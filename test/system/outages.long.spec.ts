import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { type Api, addProduct, createApi, register, type Session, signIn } from "../support/api.ts";
import { assertBalanced } from "../support/books.ts";
import type { RedisServer } from "../support/redis.ts";
import { fourProcesses, type ProcessShop, SERVICES } from "../support/topology.ts";
import { type Load, startLoad } from "./steady-load.ts";

const STOCK = 1_000_000;
/** Orders that are taken before, between and after the blows. */
const SOME = 60;

describe("outages under load, four processes", () => {
  let shop: ProcessShop;
  let redis: RedisServer;
  let api: Api;
  let admin: Session;
  let opening: Map<string, number>;
  let load: Load;
  let earlier = 0;

  before(async () => {
    shop = await fourProcesses.start();
    if (shop.redis === undefined) throw new Error("four processes need a Redis");
    redis = shop.redis;
    api = createApi(shop.url);
    admin = await signIn(api);
    opening = new Map();
    for (let n = 0; n < 3; n++) opening.set(await addProduct(api, admin, STOCK), STOCK);
  });

  after(async () => {
    await api.close();
    await shop.stop();
  });

  beforeEach(async () => {
    const buyer = await register(api, `steady-${earlier}`);
    load = startLoad(api, buyer, [...opening.keys()]);
    await load.more(SOME);
  });

  /** Whatever was done to it: every acknowledged order is there once, none is there that nobody asked for. */
  afterEach(async () => {
    await load.stop();
    await shop.settled();
    const orders = await assertBalanced(api, admin, opening);
    expect(orders.map(({ id }) => id)).to.include.members([...load.acknowledged.values()]);
    expect(new Set(load.acknowledged.values()).size).to.equal(load.acknowledged.size);
    expect(orders.length).to.equal(earlier + load.acknowledged.size);
    earlier = orders.length;
  });

  for (const service of SERVICES) {
    it(`kill -9 of ${service} and a restart lose no acknowledged order`, async () => {
      for (let time = 0; time < 2; time++) {
        await shop.kill(service);
        await shop.restart(service);
        await load.more(SOME);
      }
    });
  }

  it("FLUSHALL is made good", async () => {
    const client = new Redis(redis.url);
    for (let time = 0; time < 3; time++) {
      await client.flushall();
      await load.more(SOME);
    }
    client.disconnect();
    expect(load.unanswered).to.deep.equal([]);
  });

  it("a Redis that starts again empty is made good, and orders are taken while it is away", async () => {
    await redis.kill();
    await load.more(SOME);
    await redis.start();
    await load.more(SOME);
    expect(load.unanswered).to.deep.equal([]);
  });

  it("a Redis that comes back in an older state is made good", async () => {
    const dump = join(redis.dir, "dump.rdb");
    const client = new Redis(redis.url);
    await client.save();
    client.disconnect();
    await copyFile(dump, `${dump}.older`);
    await load.more(SOME);
    await redis.kill();
    await load.more(SOME);
    await copyFile(`${dump}.older`, dump);
    await redis.start();
    await load.more(SOME);
    expect(load.unanswered).to.deep.equal([]);
  });

  it("a Redis that hangs harms nobody", async () => {
    redis.pause();
    try {
      await load.more(SOME);
    } finally {
      redis.resume();
    }
    await load.more(SOME);
    expect(load.unanswered).to.deep.equal([]);
  });
});
