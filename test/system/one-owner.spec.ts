import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { inWholeRun } from "../support/extent.ts";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "../support/process.ts";
import { TEST_SETTINGS } from "../support/topology.ts";

describe("the files of a shop", () => {
  let folder: string;
  let data: string;
  let running: ShopProcess[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "quartet-owner-"));
    data = join(folder, "data");
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((process) => process.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(env: Readonly<Record<string, string>> = {}): Promise<{ process: ShopProcess; url: string }> {
    const [port = 0] = await freePorts(1);
    const settings = { ...TEST_SETTINGS, DATA_DIR: data, PORT: String(port), ...env };
    const process = startShopProcess({ env: settings, cwd: folder });
    running.push(process);
    return { process, url: `http://127.0.0.1:${port}` };
  }

  async function serve(): Promise<ShopProcess> {
    const { process, url } = await start();
    await untilReady(url, [process]);
    return process;
  }

  /** Whether a second process serves what a first has served until then. False when the first took longer to end than it waits. */
  async function handsOver(): Promise<boolean> {
    const first = await serve();
    const { process, url } = await start();
    await until("it waits", () => process.output().includes("another process serves"));
    expect(await first.terminate()).to.include({ code: 0 });
    try {
      await untilReady(url, [process]);
      return true;
    } catch (error) {
      if (!process.output().includes("has not ended within 5 seconds")) throw error;
      return false;
    }
  }

  const filesOf = () => readdirSync(data).map((name) => join(data, name));

  it("are served by one process: a second waits for the first to end, and serves then", async () => {
    // It waits for five seconds; on a busy machine the first may take longer to end.
    await until("a second has come in time", handsOver);
  });

  it("are refused to a second process when the first does not end, in one line, and to who would migrate them", async () => {
    const first = await serve();
    const migrating = startShopProcess({ env: { DATA_DIR: data }, args: ["migrate"], cwd: folder });
    running.push(migrating);
    const { process } = await start({ LOG_LEVEL: "error" });
    for (const each of [process, migrating]) {
      expect((await each.exited).code).to.equal(1);
      expect(each.output().trim()).to.match(
        /^users: .*users\.db is served by another process \(pid \d+ on \S+\), .* 5 seconds\. .*--data-dir\.$/m,
      );
      expect(each.output()).to.include(`pid ${first.pid} on`);
    }
    expect(first.running).to.equal(true);
  });

  inWholeRun("databases of one process: locks that are removed, or taken from it, and a link", () => {
    it("are refused to a second process also when somebody removes the locks while they are served", async () => {
      const first = await serve();
      const locks = () => filesOf().filter((file) => file.endsWith("-lock"));
      expect(locks()).to.have.lengthOf(3);
      for (const lock of locks()) rmSync(lock);
      await until("they are there again", () => locks().length === 3);
      const { process } = await start({ LOG_LEVEL: "error" });
      expect((await process.exited).code).to.equal(1);
      expect(process.output()).to.include(`pid ${first.pid} on`);
      expect(first.running).to.equal(true);
    });

    it("are let go by the first process when another has taken its lock all the same", async () => {
      const first = await serve();
      const lock = filesOf().find((file) => file.endsWith("users.db-lock")) ?? "";
      process.kill(first.pid, "SIGSTOP");
      rmSync(lock);
      const other = new Database(lock);
      other.exec("BEGIN EXCLUSIVE");
      process.kill(first.pid, "SIGCONT");
      expect(await first.exited).to.include({ code: 1 });
      other.close();
    });

    it("are refused to a second process that comes by a link, which was there before the file", async () => {
      for (const each of ["data", "elsewhere"]) mkdirSync(join(folder, each));
      symlinkSync(join(folder, "elsewhere", "users.db"), join(data, "users.db"));
      await serve();
      const { process } = await start({ LOG_LEVEL: "error", DATA_DIR: join(folder, "elsewhere") });
      expect((await process.exited).code).to.equal(1);
      expect(process.output()).to.match(/^users: .*users\.db is served by another process/m);
    });
  });

  it("are free at once after a kill", async () => {
    const first = await serve();
    await first.kill();
    const second = await serve();
    expect(second.output()).to.not.include("another process serves");
  });

  it("are refused in one line when one stands in the place of another, and left as they are", async () => {
    await (await serve()).terminate();
    copyFileSync(join(data, "orders.db"), join(data, "products.db"));
    const before = readFileSync(join(data, "products.db"));
    const { process } = await start();
    expect((await process.exited).code).to.equal(1);
    expect(process.output().trim()).to.match(/^products: .*products\.db is the database of orders, not of products$/m);
    for (const args of [
      ["reconcile", data],
      ["backup", join(folder, "backup")],
    ]) {
      const command = startShopProcess({ env: { DATA_DIR: data }, args, cwd: folder });
      running.push(command);
      expect((await command.exited).code, args[0]).to.equal(1);
      expect(command.output().trim(), args[0]).to.match(
        /^products: .*products\.db is the database of orders, not of products$/,
      );
    }
    expect(readFileSync(join(data, "products.db")).equals(before)).to.equal(true);
  });

  it("are their owner's alone, whatever the umask is, and also where they were not", async () => {
    await (await serve()).terminate();
    for (const file of filesOf()) chmodSync(file, 0o644);
    const umask = process.umask(0);
    const shop = await serve().finally(() => process.umask(umask));
    const open = filesOf().filter((file) => (statSync(file).mode & 0o077) !== 0);
    expect(open).to.deep.equal([]);
    expect(filesOf().some((file) => file.endsWith("-wal"))).to.equal(true);
    await shop.terminate();
  });
});
