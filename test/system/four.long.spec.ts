import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "../support/process.ts";
import { startRedis, startRedisServer, type TestRedis } from "../support/redis.ts";
import { portSettingOf, SERVICES, type Settings, TEST_SETTINGS } from "../support/topology.ts";

describe("four processes by one command", () => {
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

  it("are started again when one is killed, with a line that says so", async () => {
    const before = pidOf("products", four);
    process.kill(before, "SIGKILL");
    await until("it is there again", () =>
      four.output().includes("products was ended by SIGKILL; it is started again."),
    );
    await untilReady(urls[2] ?? "", [four]);
    expect(pidOf("products", four)).not.to.equal(before);
    await untilReady(urls[0] ?? "", [four]);
  });

  it("are started again the later the more often one ends, and end with the command also meanwhile", async () => {
    for (let kills = 1; kills <= 5; kills++) {
      const started = () => four.output().split("orders was ended by SIGKILL; it is started again").length - 1;
      const pid = await found(() => pidOf("orders", four));
      process.kill(pid, "SIGKILL");
      await until("its end is told", () => started() === kills);
    }
    expect(four.output()).to.match(/^orders was ended by SIGKILL; it is started again in 2 s\.$/m);
    expect(await four.terminate()).to.include({ code: 0 });
    for (const url of urls) expect(await isGone(url), url).to.equal(true);
  });

  it("greet once all four are ready: where to look, who can sign in, where the data are", async () => {
    await until("it has greeted", () => four.output().includes("Its data are in"));
    const told = four.output().slice(four.output().indexOf("Quartet is at"));
    expect(told).to.include(`Quartet is at ${urls[0]}\n`).and.to.include("customer@example.com");
    expect(four.output().match(/Quartet is at/g)).to.have.length(1);
  });
});

describe("four processes that cannot be, or remain, four", () => {
  let folder: string;
  let places: Settings;
  let four: ShopProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quartet-four-"));
    places = await freePlaces(folder);
  });
  afterEach(async () => {
    await four?.terminate();
    // Where the command was killed, its services may be about to end.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
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

    it("start it again when it has ended or was killed, and say so", async () => {
      const { host, port } = redis.options;
      redis.shutdown("NOSAVE").catch(() => {});
      await until("it is told", () => toldOf("Redis (redis-server) has ended with status 0; it is started again."));
      await until("it answers", () => answers(host, port));
      process.kill(pidOf(`redis-server 127.0.0.1:${port}`, four), "SIGKILL");
      await until("it is told", () => toldOf("Redis (redis-server) has ended with status 137; it is started again."));
      await until("it answers", () => answers(host, port));
    });

    it("do not leave it behind when the command is killed, nor when whoever keeps it is", async () => {
      const { host, port } = redis.options;
      process.kill(pidOf("trap '' HUP INT", four), "SIGKILL");
      await until("it is told", () => toldOf("Redis (redis-server) was ended by SIGKILL; it is started again."));
      await until("it answers", () => answers(host, port));
      await rm(`${places.DATA_DIR}`, { recursive: true, force: true }); // it cannot save, and would refuse to end
      await four?.kill();
      await until("it is gone", async () => !(await answers(host, port)));
    });

    function toldOf(line: string): boolean {
      return four?.output().split("\n").includes(line) === true;
    }
  });

  describe("in development", () => {
    let redis: Redis;

    beforeEach(async () => {
      four = startFour(folder, { ...places, NODE_ENV: "development" });
      await untilReady(`http://127.0.0.1:${places.PORT}`, [four]);
      const [, url = ""] = /^Redis is started here, at (\S+)\.$/m.exec(four.output()) ?? [];
      redis = new Redis(url, { retryStrategy: () => null });
      redis.on("error", () => {});
    });
    afterEach(() => redis.disconnect());

    it("have products killed and held down until that is undone, and their Redis hung, which goes on, or ends with them", async () => {
      const products = `http://127.0.0.1:${places.PRODUCTS_PORT}`;
      expect(await use("kill-products", "do")).to.equal("active");
      await until(
        "it is held down",
        () => four?.output().includes("products was ended by SIGKILL; it is held") === true,
      );
      expect(await isGone(products)).to.equal(true);
      expect(await use("hang-redis", "do")).to.equal("active");
      let answered = false;
      const pong = redis.ping().then(() => (answered = true));
      expect(await use("kill-products", "undo")).to.equal("ready");
      await untilReady(products, four === undefined ? [] : [four]);
      expect(answered).to.equal(false);
      expect(await use("hang-redis", "undo")).to.equal("ready");
      expect(await pong).to.equal(true);
      await use("hang-redis", "do");
      const gone = once(redis, "end");
      await four?.kill();
      await gone;
    });

    async function use(name: string, action: string): Promise<string> {
      const url = `http://127.0.0.1:${places.PORT}/console/controls/${name}`;
      const headers = { "content-type": "application/json" };
      const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ action }) });
      const { state } = (await answer.json()) as { state: string };
      return state;
    }
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

const PORTS = SERVICES.map(portSettingOf);

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

/** The process that was started by another, directly or not, whose command line has this text or serves this. */
function pidOf(what: string, of: ShopProcess | undefined): number {
  const lines = execFileSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  const all = lines.map((line) => /^ *(\d+) +(\d+) (.*)$/.exec(line)).map((found) => found ?? ["", "0", "0", ""]);
  const family = new Set([of?.pid]);
  for (const [, pid, ppid] of all) if (family.has(Number(ppid))) family.add(Number(pid));
  const [, pid] = all.find(([, each, , args = ""]) => {
    return family.has(Number(each)) && (args.endsWith(`--serve ${what}`) || args.includes(what));
  }) ?? ["", undefined];
  if (pid === undefined) throw new Error(`there is no process of ${what}`);
  return Number(pid);
}

async function found<T>(find: () => T): Promise<T> {
  let result: T | undefined;
  await until("it is found", () => {
    try {
      result = find();
      return true;
    } catch {
      return false;
    }
  });
  return result as T;
}

async function answers(host: string | undefined, port: number | undefined): Promise<boolean> {
  const probe = new Redis({
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    retryStrategy: () => null,
  });
  probe.on("error", () => {});
  try {
    return (await probe.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    probe.disconnect();
  }
}

function isGone(url: string): Promise<boolean> {
  return fetch(`${url}/livez`).then(
    () => false,
    () => true,
  );
}
