import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { type Api, addProduct, bodyOf, createApi, register, type Session, signIn } from "../support/api.ts";
import { assertBalanced, type Opening } from "../support/books.ts";
import { areEventsApplied, databasesIn, MODULES, readStanding, readTables } from "../support/databases.ts";
import { extent } from "../support/extent.ts";
import { freePorts, startShopProcess, until, untilReady } from "../support/process.ts";
import { fourProcesses, oneProcess, type ProcessShop, type Settings, TEST_SETTINGS } from "../support/topology.ts";

const BACKUPS = 5;
const BUYERS = 8;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "quartet-backups-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const topology of extent("backups of four processes", [oneProcess, fourProcesses], [oneProcess])) {
  describe(`backup and restore, ${topology.name}`, () => {
    const backups = Array.from({ length: BACKUPS }, (_, n) => `${topology.name.replace(" ", "-")}-${n}`);
    const opening = new Map<string, number>();
    let shop: ProcessShop;
    let api: Api;
    let admin: Session;
    let buyers: Session[];

    const command = (...args: readonly string[]) => runCommand(args, { DATA_DIR: shop.dataDir });

    before(async () => {
      shop = await topology.start();
      api = createApi(shop.url);
      admin = await signIn(api);
      buyers = await Promise.all(Array.from({ length: BUYERS }, (_, n) => register(api, `buyer-${n}`)));
      for (let n = 0; n < 3; n++) opening.set(await addProduct(api, admin, 10_000), 10_000);
    });

    after(async () => {
      await api.close();
      await shop.stop();
    });

    it("is made while orders are placed and cancelled, which fails none of them", async () => {
      const load = keepOrdering(api, buyers, [...opening.keys()]);
      for (const [n, backup] of backups.entries()) {
        const { code, output } = await command("backup", join(folder, backup));
        expect(output).to.match(
          /^Backed up and verified in .*\n {2}users\.db .*\n {2}products\.db .*\n {2}orders\.db /,
        );
        expect(code).to.equal(0);
        expect((await command("reconcile")).output, "of the shop as it runs").to.match(/All adds up/);
        await until("orders are placed all the time", () => load.placed() > (n + 1) * BUYERS);
      }
      await load.stop();
    });

    it("is a private folder of files that need nothing beside them", () => {
      for (const backup of backups) {
        expect(statSync(join(folder, backup)).mode & 0o777).to.equal(0o700);
        const names = ["manifest.json", "orders.db", "products.db", "users.db"];
        expect(readdirSync(join(folder, backup)).sort()).to.deep.equal(names);
        for (const name of names) expect(statSync(join(folder, backup, name)).mode & 0o077).to.equal(0);
      }
      expect(readdirSync(folder).filter((name) => name.includes("partial"))).to.deep.equal([]);
    });

    it("reconciles, and serves: every order becomes final, and no unit is unaccounted for", async () => {
      let orders = 0;
      for (const backup of backups) {
        const { code, output } = await command("reconcile", join(folder, backup));
        expect(output).to.match(
          /^Orders looked at: \d+; not judged, since events of them are under way: \d+\.\nAll adds up\.$/,
        );
        expect(code).to.equal(0);
        const served = await serveBackup(join(folder, backup), opening, admin);
        expect(served, "each holds what the one before held").to.be.at.least(orders);
        orders = served;
      }
      expect(orders).to.be.greaterThan(0);
    });

    it("is not restored while a process has a database open, and nothing changes", async () => {
      const { code, output } = await command("restore", join(folder, backups[0] ?? ""));
      expect(output).to.match(/^users: .*users\.db is in use; stop its process first$/);
      expect(code).to.equal(1);
      expect(readdirSync(shop.dataDir).filter((name) => /before-restore|incoming/.test(name))).to.deep.equal([]);
      bodyOf(await api.get("/orders", admin.token));
    });

    it("is restored in place: what came after it is gone, and the shop goes on in new epochs", async () => {
      await shop.settled();
      const epochBefore = readStanding(join(shop.dataDir, "orders.db")).head?.epoch;
      await shop.halt();
      const tables = readTables(join(shop.dataDir, "orders.db"));
      const { code, output } = await command("restore", join(folder, backups[1] ?? ""));
      expect(output).to.match(
        /^Restored users, products, orders from .*, made at .*\.\nWhat was there before is kept in /,
      );
      expect(code).to.equal(0);
      const [kept = ""] = readdirSync(shop.dataDir).filter((name) => name.startsWith("before-restore"));
      expect(readTables(join(shop.dataDir, kept, "orders.db")).orders).to.deep.equal(tables.orders);

      await shop.begin();
      const load = keepOrdering(api, buyers, [...opening.keys()]);
      await until("orders are placed again", () => load.placed() > 2 * BUYERS);
      await load.stop();
      await shop.settled();
      await assertBalanced(api, admin, opening);
      expect((await command("reconcile")).output).to.match(/under way: 0\.\nAll adds up\.$/);
      expect(readStanding(join(shop.dataDir, "orders.db")).head?.epoch).to.not.equal(epochBefore);
    });

    it("of one module alone loses just what came after it, and reconcile tells what that is", async () => {
      await command("backup", join(folder, `${topology.name}-orders`), "--serve", "orders");
      const [product = ""] = opening.keys();
      const bodies = Array.from({ length: 3 }, () => ({ product_id: product, quantity: 2 }));
      const lost = await Promise.all(bodies.map((body) => api.post("/orders", body, buyers[0]?.token)));
      await shop.settled();
      await shop.halt();
      const { code, output } = await command("restore", join(folder, `${topology.name}-orders`), "--serve", "orders");
      expect(output).to.match(/^Restored orders from /);
      expect(code).to.equal(0);
      await shop.begin();
      bodyOf(await api.post("/orders", { product_id: product, quantity: 1 }, buyers[1]?.token));
      await shop.settled();
      const told = await command("reconcile");
      const lines = lost.map((answer) => {
        const { id } = bodyOf<{ id: string }>(answer);
        return `  order ${id} is not known to orders, but products has it reserved and holds 2 of ${product}`;
      });
      expect(told.output.split("\n").slice(2)).to.have.members(lines);
      expect(told.code).to.equal(1);
    });
  });
}

describe("backup, restore and reconcile say in a line what keeps them from it", () => {
  let data: string;
  let backup: string;

  before(async () => {
    data = join(folder, "data");
    backup = join(folder, "good");
    await makeDatabases(data);
    expect(await runCommand(["backup", backup], { DATA_DIR: data })).to.include({ code: 0 });
  });

  const fails = async (args: readonly string[], told: RegExp, env: Settings = {}) => {
    const { code, output } = await runCommand(args, { DATA_DIR: data, ...env });
    expect(output).to.match(told);
    expect(output, "one line").to.not.include("\n");
    expect(code).to.equal(1);
  };

  it("no folder named, or one that is there", async () => {
    await fails(["backup"], /^backup DIR: name the folder first$/);
    await fails(["restore", "--serve", "orders"], /^restore DIR: name the folder first$/);
    await fails(["backup", backup], /good exists already; name a new folder\.$/);
    await fails(["reconcile", backup, "more"], /^reconcile takes one folder; more is too much\.$/);
    await fails(["reconcile", "--reviews", "x"], /--reviews/);
  });

  it("no databases, or not all", async () => {
    const empty = join(folder, "empty");
    await fails(["backup", join(folder, "none")], /empty has no database of users, products, orders; see/, {
      DATA_DIR: empty,
    });
    await fails(["backup", join(folder, "none"), "--serve", "gateway"], /has no database of any module/);
    await fails(["restore", backup, "--serve", "gateway"], /^No module is served here/);
    await fails(["reconcile", empty], /^users: .*empty\/users\.db cannot be read: /);
    expect(existsSync(join(folder, "none"))).to.equal(false);
    expect(existsSync(empty)).to.equal(false);
  });

  it("a place that cannot be written", async () => {
    await fails(["backup", "/proc/none/backup"], /ENOENT.*\/proc\/none/); // where a naive way would never return
    await fails(["backup", join(data, "users.db", "backup")], /ENOTDIR|EEXIST/);
  });

  it("a backup that is none, or has changed since", async () => {
    await fails(["restore", data], /data holds no backup that can be read: manifest\.json is missing or damaged\.$/);
    const changed = join(folder, "changed");
    cpSync(backup, changed, { recursive: true });
    const file = join(changed, "products.db");
    writeFileSync(file, readFileSync(file).fill(0x5a, 5_000, 5_001));
    await fails(["restore", changed], /products\.db is not what was backed up: it is missing or has changed since\.$/);
    rmSync(join(changed, "users.db"));
    await fails(["restore", changed], /users\.db is not what was backed up/);
    const others = readdirSync(data).filter((name) => !name.includes(".db") && name !== ".control");
    expect(others).to.deep.equal([]);
  });

  it("nothing, in a folder of which they are told as of any other, and restore tells how to reconcile it", async () => {
    const [moved, none] = [join(folder, "moved to"), join(folder, "no-data")];
    const restored = await runCommand(["restore", backup, "--data-dir", moved], { DATA_DIR: none });
    expect(restored.output).to.include(`\`npm run reconcile -- '${moved}'\``);
    expect(await runCommand(["reconcile", "--data-dir", moved], { DATA_DIR: none })).to.include({ code: 0 });
    const argumentFirst = ["reconcile", moved, "--data-dir", none];
    expect(await runCommand(argumentFirst, {}), "a folder as the argument wins").to.include({ code: 0 });
    await fails(["reconcile", "--data-dir", none], /^users: .*no-data\/users\.db cannot be read: /);
  });

  it("a module that the backup does not hold", async () => {
    const one = join(folder, "orders-only");
    expect(await runCommand(["backup", one, "--serve", "orders"], { DATA_DIR: data })).to.include({ code: 0 });
    await fails(["restore", one], /orders-only holds no users; to restore what it holds, add --serve orders\.$/);
  });

  it("a restore that was cut short: nobody takes the databases for whole until it is run again", async () => {
    const torn = join(folder, "torn");
    expect(await runCommand(["restore", backup], { DATA_DIR: torn })).to.include({ code: 0 });
    writeFileSync(join(torn, "restore-unfinished"), "as if the process had been killed between two files");
    const told = /^A restore into .*torn did not finish: its databases may be of two moments\. Run it again\.$/;
    await fails(["backup", join(folder, "none")], told, { DATA_DIR: torn });
    await fails([], told, { DATA_DIR: torn, PORT: String((await freePorts(1))[0]) });
    expect(await runCommand(["restore", backup], { DATA_DIR: torn })).to.include({ code: 0 });
    const { stop } = await serve(torn);
    await stop();
  });

  it("nothing, when its files have been copied open to all; what is put back is its owner's alone", async () => {
    const [copied, target] = [join(folder, "copied"), join(folder, "put-back")];
    cpSync(backup, copied, { recursive: true });
    for (const name of readdirSync(copied)) chmodSync(join(copied, name), 0o644);
    expect(await runCommand(["restore", copied], { DATA_DIR: target })).to.include({ code: 0 });
    for (const name of readdirSync(target)) expect(statSync(join(target, name)).mode & 0o077, name).to.equal(0);
  });

  it("a database that is a link", async () => {
    const linked = join(folder, "linked");
    mkdirSync(linked);
    symlinkSync("../data/orders.db", join(linked, "orders.db"));
    await fails(["restore", backup], /orders\.db is a link: restore into the folder that it leads to/, {
      DATA_DIR: linked,
    });
  });

  it("a schema of another version", async () => {
    const old = join(folder, "old");
    cpSync(backup, old, { recursive: true });
    const database = new Database(join(old, "users.db"));
    database.pragma("user_version = 2001");
    database.close();
    await fails(["reconcile", old], /^users has schema 2\.1, this needs \d\.\d: `npm run migrate` brings it there$/);
  });
});

describe("reconcile finds whatever somebody has done to the books", () => {
  let sound: string;

  before(async () => {
    sound = join(folder, "sound");
    await makeDatabases(sound);
  });

  const DEEDS: Readonly<Record<string, readonly [module: (typeof MODULES)[number], sql: string, told: RegExp]>> = {
    "a stock that was changed by hand": [
      "products",
      "UPDATE products SET stock = stock + 1 WHERE stock = 93",
      /product \S+ has a stock of 94, its ledger adds up to 93/,
    ],
    "a line of the ledger that is gone": [
      "products",
      "DELETE FROM stock_ledger WHERE reason = 'reserved' AND delta = -7",
      /order \S+ is confirmed, but products has not decided it and holds nothing; it is for 7 of/,
    ],
    "an order that is gone": ["orders", "DELETE FROM orders", /order \S+ is not known to orders, but products has it/],
    "an order that was changed": [
      "orders",
      "UPDATE orders SET status = 'cancelled'",
      /order \S+ is cancelled, but products has it reserved and holds 7 of/,
    ],
    "a buyer who is gone": ["users", "DELETE FROM users", /order \S+ is of user \S+, whom users does not know/],
  };
  for (const [what, [module, sql, told]] of Object.entries(DEEDS)) {
    it(what, async () => {
      const books = join(folder, what.replaceAll(" ", "-"));
      cpSync(sound, books, { recursive: true });
      const database = new Database(join(books, `${module}.db`));
      database.exec(sql);
      database.close();
      const { code, output } = await runCommand(["reconcile", books], {});
      expect(output).to.match(/^Orders looked at: \d; .*\nThis does not add up:\n {2}/);
      expect(output).to.match(told);
      expect(code).to.equal(1);
      const files = MODULES.flatMap((name) => [`--${name}`, join(name === module ? sound : books, `${name}.db`)]);
      expect(await runCommand(["reconcile", ...files], {}), "each file can be named").to.include({ code: 0 });
    });
  }
});

/** The databases of a shop that has taken one order, of seven of a hundred. */
async function makeDatabases(dataDir: string): Promise<void> {
  const served = await serve(dataDir);
  const admin = await signIn(served.api);
  const product = await addProduct(served.api, admin, 100);
  const order = bodyOf<{ id: string }>(
    await served.api.post("/orders", { product_id: product, quantity: 7 }, admin.token),
  );
  const { status } = bodyOf(await served.api.get(`/orders/${order.id}`, admin.token, { prefer: "wait=30" }));
  expect(status).to.equal("confirmed");
  await served.stop();
}

/** Restores a backup where there was nothing, and serves it in one process. Resolves how many orders it holds. */
async function serveBackup(backup: string, opening: Opening, admin: Session): Promise<number> {
  const dataDir = `${backup}-served`;
  const { output } = await runCommand(["restore", backup], { DATA_DIR: dataDir });
  expect(output).to.match(/^Restored users, products, orders from .*\nThere was nothing before\.\n/);
  const { api, stop } = await serve(dataDir);
  try {
    await until("all events are applied", () =>
      areEventsApplied(async () => databasesIn((module) => join(dataDir, `${module}.db`))),
    );
    return (await assertBalanced(api, admin, opening)).length;
  } finally {
    await stop();
  }
}

async function serve(dataDir: string): Promise<{ api: Api; stop(): Promise<void> }> {
  const [port = 0] = await freePorts(1);
  const env = { ...TEST_SETTINGS, DATA_DIR: dataDir, PORT: String(port) };
  const process = startShopProcess({ env, cwd: folder });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, [process]);
  const api = createApi(url);
  return {
    api,
    async stop() {
      await api.close();
      expect(await process.terminate()).to.include({ code: 0 });
    },
  };
}

/** Runs a command of the program. */
async function runCommand(args: readonly string[], env: Settings): Promise<{ code: number | null; output: string }> {
  const process = startShopProcess({ env: { ...TEST_SETTINGS, ...env }, args, cwd: folder });
  const { code } = await process.exited;
  return { code, output: process.output().trim() };
}

/** Each buyer orders, one order after the other, and cancels every third. */
function keepOrdering(api: Api, buyers: readonly Session[], products: readonly string[]) {
  let going = true;
  let placed = 0;
  const buy = async ({ token }: Session, at: number): Promise<void> => {
    for (let n = at; going; n++) {
      const body = { product_id: products[n % products.length], quantity: 1 + (n % 3) };
      const { id } = bodyOf<{ id: string }>(await api.post("/orders", body, token));
      placed += 1;
      if (n % 3 === 0) bodyOf(await api.post(`/orders/${id}/cancel`, undefined, token));
    }
  };
  const buying = Promise.all(buyers.map(buy));
  return {
    placed: () => placed,
    async stop() {
      going = false;
      await buying;
      return placed;
    },
  };
}
