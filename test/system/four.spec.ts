import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "../support/process.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { TEST_SETTINGS } from "../support/topology.ts";

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
    const ports = await freePorts(4);
    urls = ports.map((port) => `http://127.0.0.1:${port}`);
    const [PORT = "", USERS_PORT = "", PRODUCTS_PORT = "", ORDERS_PORT = ""] = ports.map(String);
    const places = { PORT, USERS_PORT, PRODUCTS_PORT, ORDERS_PORT, REDIS_URL: redis.url, DATA_DIR: join(folder, PORT) };
    const env = { ...TEST_SETTINGS, ...places };
    four = startShopProcess({ env, args: ["four"], cwd: folder });
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

function isGone(url: string): Promise<boolean> {
  return fetch(`${url}/livez`).then(
    () => false,
    () => true,
  );
}
