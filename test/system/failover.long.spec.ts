import { expect } from "chai";
import {
  type Api,
  addProduct,
  allOrders,
  bodyOf,
  createApi,
  register,
  type Session,
  signIn,
  stockOf,
} from "../support/api.ts";
import { startBalancer } from "../support/balancer.ts";
import { assertBalanced } from "../support/books.ts";
import { ask, missingPostgres, startPostgresServer } from "../support/postgres.ts";
import { startPostgresPair } from "../support/postgres-pair.ts";
import { startShopProcess, until } from "../support/process.ts";
import { oneProcess, type ProcessShop, type Settings } from "../support/topology.ts";
import { startLoad } from "./steady-load.ts";

const STOCK = 1_000_000;
const CLIENTS = 4;

describe("a shop whose PostgreSQL is followed by its standby", function () {
  this.timeout(240_000);
  const started: { stop(): Promise<unknown> }[] = [];

  before(function () {
    if (missingPostgres() !== undefined) this.skip();
  });
  afterEach(async () => {
    for (const each of started.splice(0).reverse()) await each.stop();
  });

  /** What ends with the test. */
  const use = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const one = await starting;
    started.push(one);
    return one;
  };

  async function open(settings: Settings): Promise<{ shop: ProcessShop; api: Api; admin: Session; buyer: Session }> {
    const shop = await use(oneProcess.start(settings));
    const api = createApi(shop.url);
    started.push({ stop: () => api.close() });
    return { shop, api, admin: await signIn(api), buyer: await register(api, "buyer") };
  }

  const areFinal = (api: Api, admin: Session) =>
    until("every order is final", async () =>
      (await allOrders(api, admin)).every(({ status }) => status !== "pending"),
    );
  const allIsWell = (api: Api) =>
    until("all is well", async () => {
      const { modules, bus } = bodyOf<Told>(await api.get("/status"));
      return [...modules, bus].every(({ status }) => status === "running");
    });

  async function reconcile(shop: ProcessShop): Promise<string> {
    const command = startShopProcess({ env: shop.data, args: ["reconcile"], cwd: shop.dataDir });
    await command.exited;
    return command.output();
  }

  it("goes on by itself, with every order that was acknowledged, where the standby is synchronous: by several hosts, and by one address", async () => {
    const pair = await use(startPostgresPair("synchronous"));
    const database = await pair.createDatabase();
    const address = await use(
      startBalancer(
        [pair.primary, pair.standby].map((one) => one?.url ?? ""),
        isWritten,
      ),
    );
    const { shop, api, admin, buyer } = await open({
      DATABASE_URL: database,
      ORDERS_DATABASE_URL: pair.atPrimary(database).replace(`${pair.primary.port}`, new URL(address.url).port),
    });
    const product = await addProduct(api, admin, STOCK);
    const load = startLoad(api, buyer, [product], CLIENTS);
    for (const failover of [1, 2]) {
      if (failover > 1) await pair.renewStandby();
      await load.more(50);
      await pair.killPrimary();
      await pair.promote();
    }
    await load.more(50);
    await load.stop();
    await areFinal(api, admin);
    const orders = await assertBalanced(api, admin, new Map([[product, STOCK]]));
    expect(new Set(orders.map(({ id }) => id))).to.deep.equal(new Set(load.acknowledged.values()));
    expect(new Set(orders.map(({ status }) => status))).to.deep.equal(new Set(["confirmed"]));
    expect(await reconcile(shop)).to.contain("All adds up.");
    await allIsWell(api);
    expect(shop.process("gateway").output()).not.to.contain("has forgotten");
  });

  it("notices what is gone where the standby is not, says so, does nothing twice, and goes on", async () => {
    const [pair, others] = await Promise.all([use(startPostgresPair("asynchronous")), use(startPostgresServer())]);
    const { shop, api, admin, buyer } = await open({
      DATABASE_URL: await others.createDatabase(),
      ORDERS_DATABASE_URL: await pair.createDatabase(),
    });
    const product = await addProduct(api, admin, STOCK);
    const load = startLoad(api, buyer, [product], CLIENTS);
    await load.more(30);
    await pair.cutOff();
    const before = load.acknowledged.size;
    await until(
      "orders are sold that the standby lacks",
      async () => STOCK - (await stockOf(api, product)) > before + 20,
    );
    await pair.killPrimary();
    await pair.promote();
    await load.more(30);
    await load.stop();
    await areFinal(api, admin);
    await allIsWell(api);
    const found = await allOrders(api, admin);
    const lost = new Set(load.acknowledged.values()).difference(new Set(found.map(({ id }) => id)));
    expect(lost.size).to.be.greaterThan(0);
    expect(found.every(({ status }) => status === "confirmed")).to.equal(true);
    expect(shop.process("gateway").output()).to.match(
      /orders: the log in postgres:.* has forgotten what it had committed/,
    );
    const told = await reconcile(shop);
    const units = told.matchAll(/order (\S+) is not known to orders, but products has it reserved and holds 1 of/g);
    const sold = Array.from(units, ([, id = ""]) => id);
    expect(new Set(sold).intersection(lost).size, told).to.be.greaterThan(0); // of the last ones nobody had heard
    expect(await stockOf(api, product)).to.equal(STOCK - found.length - sold.length);
  });
});

interface Told {
  readonly modules: readonly { readonly status: string }[];
  readonly bus: { readonly status: string };
}

/** As a proxy asks that sends connections to the primary alone. */
async function isWritten(url: string): Promise<boolean> {
  const [found] = await ask<{ follows: boolean }>(url, "SELECT pg_is_in_recovery() AS follows");
  return found?.follows === false;
}
