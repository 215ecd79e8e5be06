import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "../support/process.ts";
import { startRedis, startRedisServer, type TestRedis } from "../support/redis.ts";
import { type Settings, TEST_SETTINGS } from "../support/topology.ts";

describe("four processes by one command", function () {
  this.timeout(60_000);
  let redis: TestRedis;
  let folder: string;
  let four: ShopProcess;
  let urls: string[];

  before(async () => {
    redis = await startRedis();
    folder = await mkdtemp(join(tmpdir(), "quartet-four-"));
  });
  after(async () => {
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    const places = await freePlaces(folder);
    urls = PORTS.map((port) => `http://127.0.0.1:${places[port]}`);
    four = startFour(folder, { ...places, REDIS_URL: redis.url });
    await untilReady(urls[0] ?? "", [four]);
  });
  afterEach(() => four.terminate());

  it("serve each service at its own address, with the Redis that is named", async () => {
    expect(four.output()).to.include("Redis is the one that REDIS_URL names.");
    for (const url of urls) expect((await fetch(`${url}/readyz`)).status, url).to.equal(200);
  });

  it("end with the command, when it is asked to", async () => {
    expect(await four.terminate()).to.include({ code: 0 });
    for (const url of urls) expect(await isGone(url), url).to.equal(true);
  });

  it("end with the command, when it is killed", async () => {
    await four.kill();
    for (const url of urls) await until(`${url} is gone`, () => isGone(url));
  });
});

describe("four processes that cannot be, or remain, four", function () {
  this.timeout(60_000);
  let folder: string;
  let places: Settings;
  let four: ShopProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quartet-four-"));
    places = await freePlaces(folder);
  });
  afterEach(async () => {
    await four?.terminate();
    await rm(folder, { recursive: true, force: true });
  });

  describe("with a Redis of their own", () => {
    before(async () => (await startRedisServer()).stop()); // there must be the program
    let redis: Redis;

    beforeEach(async () => {
      four = startFour(folder, places);
      await untilReady(`http://127.0.0.1:${places.PORT}`, [four]);
      const [, url = ""] = /^Redis is started here, at (\S+)\.$/m.exec(four.output()) ?? [];
      redis = new Redis(url, { retryStrategy: () => null });
      redis.on("error", () => {});
      expect(await redis.ping()).to.equal("PONG");
    });
    afterEach(() => redis.disconnect());

    it("end it with them, when they are asked to end", async () => {
      const gone = once(redis, "end");
      expect(await four?.terminate()).to.deep.equal({ code: 0, signal: null });
      await gone;
    });

    it("end with it, with status 1, and say so", async () => {
      redis.shutdown("NOSAVE").catch(() => {});
      expect(await four?.exited).to.deep.equal({ code: 1, signal: null });
      expect(four?.output()).to.match(/^Redis \(redis-server\) has ended with status 0, so all was stopped\.$/m);
    });
  });

  it("say that there is no Redis, when neither program brings one up", async () => {
    const programs = join(folder, "bin");
    await mkdir(programs);
    await writeFile(join(programs, "docker"), "#!/bin/sh\nexit 125\n", { mode: 0o755 });
    four = startFour(folder, { ...places, PATH: programs });
    expect(await four.exited).to.deep.equal({ code: 1, signal: null });
    expect(four.output()).to.match(
      /^There is no Redis: install redis-server or Docker, or set REDIS_URL\. .*status 125/,
    );
  });

  describe("with the Redis that is named", () => {
    let redis: TestRedis;

    before(async () => {
      redis = await startRedis();
    });
    after(() => redis?.stop());

    it("end with status 1 when one cannot start, which says why", async () => {
      const other = createServer().listen(Number(places.ORDERS_PORT), "127.0.0.1");
      await once(other, "listening");
      four = startFour(folder, { ...places, REDIS_URL: redis.url });
      const exit = await four.exited;
      other.close();
      expect(exit).to.deep.equal({ code: 1, signal: null });
      const told = `127.0.0.1:${places.ORDERS_PORT} is in use by another program; choose another --orders-port.`;
      expect(four.output()).to.include(told);
      expect(four.output()).to.match(/^orders has ended with status 1, so all was stopped\.$/m);
    });

    it("reach each other at the address that they listen on", async () => {
      four = startFour(folder, { ...places, REDIS_URL: redis.url }, ["--host", "127.0.0.2"]);
      await untilReady(`http://127.0.0.2:${places.PORT}`, [four]);
    });
  });
});

const PORTS = ["PORT", "USERS_PORT", "PRODUCTS_PORT", "ORDERS_PORT"] as const;

async function freePlaces(folder: string): Promise<Settings> {
  const ports = await freePorts(PORTS.length);
  return {
    DATA_DIR: join(folder, `${ports[0]}`),
    ...Object.fromEntries(PORTS.map((name, n) => [name, `${ports[n]}`])),
  };
}

function startFour(cwd: string, settings: Settings, flags: readonly string[] = []): ShopProcess {
  return startShopProcess({ env: { ...TEST_SETTINGS, ...settings }, args: ["four", ...flags], cwd });
}

function isGone(url: string): Promise<boolean> {
  return fetch(`${url}/livez`).then(
    () => false,
    () => true,
  );
}
