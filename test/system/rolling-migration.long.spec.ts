import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { databaseIn } from "../../src/runtime/database-files.ts";
import {
  type Api,
  addProduct,
  bodyOf,
  createApi,
  type OrderBody,
  register,
  type Session,
  signIn,
} from "../support/api.ts";
import { MODULES, type ModuleName } from "../support/databases.ts";
import { missingPostgres, type PostgresServer, startPostgresServer } from "../support/postgres.ts";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "../support/process.ts";
import { TEST_SETTINGS } from "../support/topology.ts";
import { addColumns, copyCode, type NextCode } from "./next-code.ts";
import { type Load, startLoad } from "./steady-load.ts";

type Places = Readonly<Record<string, string>>;

/** A process that serves all, and a client of it. */
interface Served {
  readonly process: ShopProcess;
  readonly api: Api;
}

describe("a version of the code, and the next one, which migrates", function () {
  this.timeout(300_000);
  let folder: string;
  let next: NextCode;
  let served: Served[];
  let loads: Load[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quartet-rolling-"));
    next = await copyCode();
    [served, loads] = [[], []];
  });
  afterEach(async () => {
    for (const load of loads) load.abandon();
    await Promise.all(served.map(({ api }) => api.close()));
    await Promise.all(served.map(({ process }) => process.kill()));
    await next.remove();
    await rm(folder, { recursive: true });
  });

  function begin(places: Places, port: number, code?: string): ShopProcess {
    const env = { ...TEST_SETTINGS, ...places, PORT: String(port) };
    return startShopProcess({ env, cwd: folder, ...(code !== undefined && { code }) });
  }

  async function serve(places: Places, code?: string): Promise<Served> {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const one = { process: begin(places, port, code), api: createApi(url) };
    served.push(one);
    await untilReady(url, [one.process]);
    return one;
  }

  /** What the next version's `migrate` says, and how it ends. */
  async function migrate(places: Places): Promise<{ code: number | null; told: string }> {
    const command = startShopProcess({ env: places, args: ["migrate"], cwd: folder, code: next.dir });
    const { code } = await command.exited;
    return { code, told: command.output() };
  }

  const refusalOfStart = async (places: Places) => {
    const process = begin({ ...places, LOG_LEVEL: "error" }, (await freePorts(1))[0] ?? 0);
    expect((await process.exited).code, process.output()).to.equal(1);
    return process.output().trim();
  };

  async function confirm({ api }: Served, buyer: Session, product_id: string): Promise<void> {
    const placed = bodyOf<OrderBody>(await api.post("/orders", { product_id, quantity: 1 }, buyer.token));
    const statusOf = async () => bodyOf<OrderBody>(await api.get(`/orders/${placed.id}`, buyer.token)).status;
    await until("the order is confirmed", async () => (await statusOf()) === "confirmed");
  }

  function putUnderLoad({ api }: Served, buyer: Session, product: string): Load {
    const load = startLoad(api, buyer, [product], 4);
    loads.push(load);
    return load;
  }

  const shopOf = async ({ api }: Served) => {
    const [product, buyer] = [await addProduct(api, await signIn(api), 100_000), await register(api, "ada")];
    return { product, buyer };
  };

  describe("on PostgreSQL", () => {
    let server: PostgresServer;
    let places: { readonly DATABASE_URL: string };

    before(async function () {
      if (missingPostgres() !== undefined) return this.skip();
      server = await startPostgresServer();
    });
    after(() => server?.stop());
    beforeEach(async () => {
      places = { DATABASE_URL: await server.createDatabase() };
    });

    it("go on under load, each beside the other; one that is left behind is waited for, and then refused", async () => {
      const old = await serve(places);
      const { product, buyer } = await shopOf(old);
      await addColumns(next, places.DATABASE_URL);
      const load = putUnderLoad(old, buyer, product);
      await load.more(10);
      await migrateTwice();
      await load.more(10);
      const newer = await serve(places, next.dir);
      const newLoad = putUnderLoad(newer, buyer, product);
      await next.add("orders", {
        expands: false,
        sqlite: "SELECT 1",
        postgres: "ALTER TABLE orders DROP COLUMN added",
      });
      const [refused] = await Promise.all([migrate(places), load.more(10), newLoad.more(10)]);
      expect(refused.code).to.equal(1);
      expect(refused.told).to.match(
        /^users: already .*\nproducts: already .*\norders: .* is served by a process that knows version \S+, and (\S+) takes \1 at least: stop it first, .*\n$/,
      );
      await Promise.all([load.stop(), newLoad.stop()]);
      expect([...load.unanswered, ...newLoad.unanswered]).to.deep.equal([]);
      await old.process.terminate();
      const again = await serve(places);
      for (const each of [again, newer]) await confirm(each, buyer, product);
      for (const { process } of [again, newer]) await process.terminate();
      expect((await migrate(places)).told).to.match(/^orders: migrated from \S+ to \S+ in postgres:/m);
      expect(await refusalOfStart(places)).to.match(
        /^orders: postgres:\S+, schema orders has schema (\S+), newer than the \S+ that this version knows, and takes \1 at least: start a newer version$/,
      );
    });

    /** Two jobs at the same moment. */
    async function migrateTwice(): Promise<void> {
      const ended = await Promise.all([migrate(places), migrate(places)]);
      const told = ended.map((each) => each.told).join("");
      expect(
        ended.map(({ code }) => code),
        told,
      ).to.deep.equal([0, 0]);
      for (const name of MODULES) {
        expect(told).to.match(new RegExp(`^${name}: migrated from (\\d+\\.)\\d+ to \\1\\d+ in postgres://`, "m"));
        expect(told).to.match(new RegExp(`^${name}: already at \\d+\\.\\d+ in postgres://`, "m"));
      }
    }
  });

  describe("in files", () => {
    let places: { readonly DATA_DIR: string };

    beforeEach(() => {
      places = { DATA_DIR: join(folder, "data") };
    });

    const tablesOf = (name: ModuleName) => {
      const database = new Database(databaseIn(places.DATA_DIR, name), { readonly: true });
      const tables = database
        .prepare<[], string>(
          "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'",
        )
        .pluck()
        .all();
      database.close();
      return tables;
    };

    it("open them one after the other, until one is left behind", async () => {
      const first = await serve(places);
      const { product, buyer } = await shopOf(first);
      for (const module of MODULES) {
        const sqlite = tablesOf(module).map((name) => `ALTER TABLE ${name} ADD COLUMN added TEXT;`);
        await next.add(module, { expands: true, sqlite: sqlite.join("\n"), postgres: "SELECT 1" });
      }
      await first.process.terminate();
      expect(await migrate(places)).to.include({ code: 0 });
      const old = await serve(places);
      await confirm(old, buyer, product);
      await old.process.terminate();
      await next.add("users", { expands: false, sqlite: "ALTER TABLE users DROP COLUMN added", postgres: "SELECT 1" });
      expect((await migrate(places)).told).to.match(
        /^users: migrated from .*\nproducts: already .*\norders: already .*\n$/,
      );
      expect(await refusalOfStart(places)).to.match(
        /^users: \S+users\.db has schema (\S+), newer than the \S+ that this version knows, and takes \1 at least: start a newer version$/,
      );
    });
  });
});
