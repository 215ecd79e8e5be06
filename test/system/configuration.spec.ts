import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { type Exit, freePorts, startShopProcess, untilReady } from "../support/process.ts";

describe("what keeps the shop from starting", () => {
  let folder: string;
  let port: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quartet-refused-"));
    [port = 0] = await freePorts(1);
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is told all at once when it is the configuration, with names, values and what is expected, but no secret", async () => {
    const { exit, output } = await start(
      { CALL_TIMEOUT: "soon", ADMIN_PASSWORD: "too short", REDIS_URL: "http://127.0.0.1", RATE_LIMIT: "many" },
      ["--serve=gateway,kitchen", "--port=70000", "--no-such-flag=1"],
    );
    expect(exit).to.deep.equal({ code: 1, signal: null });
    for (const mistake of [
      /^CALL_TIMEOUT=soon: expected a whole number from 50 to 60000$/m,
      /^REDIS_URL=http:\/\/127\.0\.0\.1: expected a URL that begins with redis:/m,
      /^RATE_LIMIT=many: expected a limit such as 100\/60s, or off$/m,
      /^SERVE=gateway,kitchen: expected all, or some of gateway,users,products,orders$/m,
      /^PORT=70000: expected a whole number from 0 to 65535$/m,
      /^ADMIN_PASSWORD=\(not shown\): expected 12 characters or more$/m,
      /^--no-such-flag=1: there is no such flag/m,
    ]) {
      expect(output).to.match(mistake);
    }
    expect(output).not.to.contain("too short");
    expect(output).not.to.match(/^\s+at /m);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("is a topology that cannot work", async () => {
    const alone = await start({ SERVE: "orders", ORDERS_PORT: String(port) });
    expect(alone.exit.code).to.equal(1);
    for (const name of ["USERS_URL", "PRODUCTS_URL", "REDIS_URL"])
      expect(alone.output).to.match(new RegExp(`^${name}: expected`, "m"));
    const itself = {
      SERVE: "orders",
      ORDERS_PORT: String(port),
      USERS_URL: `http://127.0.0.1:${port}`,
      PRODUCTS_URL: "http://127.0.0.1:1",
      REDIS_URL: "redis://127.0.0.1",
    };
    const circle = await start(itself);
    expect(circle.exit.code).to.equal(1);
    expect(circle.output).to.match(/^USERS_URL=.*own address/m);
  });

  it("is a URL of sentinels that names no primary, or is none, of which no password is told", async () => {
    const told = "expected a URL that begins with redis:// or rediss://, or redis+sentinel://host:port,host:port/name";
    for (const [url, shown] of [
      ["redis+sentinel://127.0.0.1:26379", "redis+sentinel://127.0.0.1:26379"],
      ["redis+sentinel://:secret-word@127.0.0.1:99999/mymaster", "(not shown)"],
    ] as const) {
      const { exit, output } = await start({ PORT: `${port}`, REDIS_URL: url });
      expect(exit).to.deep.equal({ code: 1, signal: null });
      expect(output.trim().split("\n").slice(1)).to.deep.equal([`REDIS_URL=${shown}: ${told}`]);
    }
  });

  it("is a neighbour's URL that is more than scheme, host and port, alone or among several", async () => {
    const urls = {
      USERS_URL: "http://h:1/api",
      PRODUCTS_URL: "http://h:1, http://h:1",
      ORDERS_URL: "http://h,http://me:secret@h",
    };
    const { exit, output } = await start({ ...urls, SERVE: "gateway", REDIS_URL: "redis://127.0.0.1/2" });
    expect(exit.code).to.equal(1);
    const several = "http://host:port without a path, or several, separated by commas";
    const told = Object.entries(urls).map(([name, url]) => `${name}=${url}: expected ${several}`);
    expect(output.trim().split("\n").slice(1)).to.deep.equal(told);
    const command = await start({ GATEWAY_URL: "http://h/shop" }, ["dead-letters"]);
    expect(command.exit.code).to.equal(1);
    const expected = "http://host:port or https://host:port without a path";
    expect(command.output.trim().split("\n").slice(1)).to.deep.equal([
      `GATEWAY_URL=http://h/shop: expected ${expected}`,
    ]);
  });

  it("is what is for trying out, in production", async () => {
    const trial = { NODE_ENV: "production", SEED: "on", FAULTS: "users.getUser=unavailable" };
    const { exit, output } = await start(trial);
    expect(exit.code).to.equal(1);
    expect(output).to.match(/^SEED=on: expected to be off in production$/m);
    expect(output).to.match(/^FAULTS: expected to be left out in production$/m);
  });

  it("is a demo account with the password that everybody knows, in production", async () => {
    const [demo = 0] = await freePorts(1);
    const env = { PORT: String(demo), DATA_DIR: folder, NODE_ENV: "development", LOG_LEVEL: "warn", BCRYPT_COST: "4" };
    const process = startShopProcess({ env, cwd: join(folder, "..") });
    await untilReady(`http://127.0.0.1:${demo}`, [process]);
    await process.terminate();
    const { exit, output } = await start({ NODE_ENV: "production", PORT: String(port) });
    expect(exit.code).to.equal(1);
    expectOneLine(output, "admin@example.com still has its demo password");
  });

  it("is a key or a first admin that cannot be used", async () => {
    const key = await start({ JWT_KEY_FILE: "/nowhere/key.pem", PORT: String(port) });
    expect(key.exit.code).to.equal(1);
    expectOneLine(key.output, "The key file /nowhere/key.pem cannot be used");
    const admin = { ADMIN_EMAIL: "root@example.com", ADMIN_PASSWORD: "password1234" };
    const { exit, output } = await start({ ...admin, PORT: String(port) });
    expect(exit.code).to.equal(1);
    expectOneLine(output, "The first admin cannot be made.");
    const short = await start({ ...admin, ADMIN_PASSWORD: "short" });
    expectOneLine(short.output.replace(/^.*\n/, ""), "ADMIN_PASSWORD=(not shown): expected 12 characters or more");
    const nobodys = await start({
      ...admin,
      ADMIN_EMAIL: "the root@example.com",
      ADMIN_PASSWORD: "a password of root",
    });
    expectOneLine(nobodys.output.replace(/^.*\n/, ""), "ADMIN_EMAIL=the root@example.com: expected an e-mail address");
  });

  it("is a word that is no command, or stands where a flag is expected", async () => {
    expectOneLine((await start({}, ["frob"])).output, "frob: there is no such command; --help lists them");
    expect((await start({}, ["backup", "dir", "extra"])).output).to.contain("extra: expected a flag, --x-y VALUE");
  });

  it("is an address that another program has", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const taken = (other.address() as AddressInfo).port;
    const { exit, output } = await start({ PORT: String(taken) });
    other.close();
    expect(exit.code).to.equal(1);
    expect(output.trim()).to.equal(`127.0.0.1:${taken} is in use by another program; choose another --port.`);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("is an address that another program has, told by the flag of the service whose it is", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const taken = (other.address() as AddressInfo).port;
    const places = { SERVE: "gateway,users", PORT: String(port), USERS_PORT: String(taken) };
    const others = { PRODUCTS_URL: "http://127.0.0.1:1", ORDERS_URL: "http://127.0.0.1:1" };
    const { exit, output } = await start({ ...places, ...others, REDIS_URL: "redis://127.0.0.1:1" });
    other.close();
    expect(exit.code).to.equal(1);
    expectOneLine(output, `127.0.0.1:${taken} is in use by another program; choose another --users-port.`);
  });

  it("is an address to listen on that nobody knows or this machine has not, told by its setting", async () => {
    const unknown = await start({ PORT: String(port), HOST: "nowhere.invalid" });
    expect(unknown.exit).to.deep.equal({ code: 1, signal: null });
    expectOneLine(unknown.output, "HOST=nowhere.invalid: this name cannot be resolved (");
    const foreign = await start({ PORT: String(port) }, ["--host", "192.0.2.1"]);
    expect(foreign.exit).to.deep.equal({ code: 1, signal: null });
    expectOneLine(foreign.output, "HOST=192.0.2.1: this machine has no such address.");
  });

  it("is no IPv6 address, which URLs have in brackets", async () => {
    const { output } = await start({ PORT: "8000" }, ["topology", "--host", "::1"]);
    expect(output).to.include("here, on http://[::1]:8000\n");
    const unheard = await start({ PORT: String(port) }, ["dead-letters", "--host", "::1"]);
    expect(unheard.exit.code).to.equal(1);
    expectOneLine(unheard.output, `It was asked at http://[::1]:${port}; see --gateway-url.`);
  });

  it("is a data folder that cannot be written", async () => {
    const file = join(folder, "a-file");
    await writeFile(file, "");
    const { exit, output } = await start({ PORT: String(port), DATA_DIR: join(file, "data") });
    expect(exit.code).to.equal(1);
    expectOneLine(output, file);
  });

  it("is a data folder that cannot be made, where Node's own way of making it would never return", async () => {
    const { exit, output } = await start({ PORT: String(port), DATA_DIR: "/proc/none/data" });
    expect(exit.code).to.equal(1);
    expectOneLine(output, "/proc/none");
  });

  it("is a database that a newer version wrote, which it leaves alone", async () => {
    const file = await kept("products.db", (path) => {
      const database = new Database(path);
      database.pragma("user_version = 999999");
      database.exec("CREATE TABLE from_the_future (x)");
      database.close();
    });
    const { exit, output } = await start({ PORT: String(port) });
    expect(exit.code).to.equal(1);
    expectOneLine(output, file.path);
    expect(output).to.match(/newer/);
    await file.assertUntouched();
  });

  it("is a database that is corrupt, which it leaves alone", async () => {
    for (const content of ["this is no database at all, however long it may be".repeat(100), broken()]) {
      const file = await kept("orders.db", (path) => writeFile(path, content));
      const { exit, output } = await start({ PORT: String(port) });
      expect(exit.code).to.equal(1);
      expectOneLine(output, file.path);
      await file.assertUntouched();
      await rm(file.path);
    }
  });

  /** Starts it and waits until it has ended by itself. */
  async function start(env: Record<string, string>, args: string[] = []): Promise<{ exit: Exit; output: string }> {
    const cwd = join(folder, "..");
    const process = startShopProcess({
      env: { DATA_DIR: folder, NODE_ENV: "test", LOG_LEVEL: "warn", BCRYPT_COST: "4", ...env },
      args,
      cwd,
    });
    const exit = await process.exited;
    return { exit, output: process.output() };
  }

  async function kept(name: string, make: (path: string) => unknown) {
    await mkdir(folder, { recursive: true });
    const path = join(folder, name);
    await make(path);
    const digest = async () =>
      createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
    const before = await digest();
    return {
      path,
      async assertUntouched() {
        expect(await digest()).to.equal(before);
        expect((await readdir(folder)).filter((each) => each.startsWith(`${name}-`))).to.deep.equal([]);
      },
    };
  }
});

function expectOneLine(output: string, mention: string): void {
  expect(output).to.contain(mention);
  expect(output.trim().split("\n")).to.have.length(1);
}

/** A database whose header is right and whose pages are not. */
function broken(): Buffer {
  const database = new Database(":memory:");
  database.exec("CREATE TABLE t (x); CREATE INDEX i ON t (x)");
  const insert = database.prepare("INSERT INTO t VALUES (?)");
  for (let n = 0; n < 500; n++) insert.run(`a row with the number ${n}`);
  const bytes = database.serialize();
  database.close();
  return bytes.fill(0xff, 4_096 + 100, bytes.length);
}
