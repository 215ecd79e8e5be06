import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { createRandom } from "../bus/simulation/random.ts";
import {
  ADMIN,
  type Answer,
  type Api,
  addProduct,
  bodyOf,
  createApi,
  type OrderBody,
  register,
  type Session,
  signIn,
  stockOf,
} from "../support/api.ts";
import { ask, missingPostgres } from "../support/postgres.ts";
import { until } from "../support/process.ts";
import { type ReplicatedShop, twoOfEach } from "../support/replicas.ts";
import { oneProcess, SERVICES } from "../support/topology.ts";
import { tortureReplicas } from "../torture/of-replicas.ts";

/** Who of those that serve orders applies what it hears, and who copies its log. */
const HOLDERS = "SELECT role, owner FROM orders.leases WHERE role ~ '^(apply|relay)' ORDER BY role";

/** The first admin; in production not with the password that everybody knows. */
const OWNER = { ...ADMIN, password: "known to the owner alone" };

interface Told {
  readonly modules: readonly {
    readonly name: string;
    readonly status: string;
    readonly replicas?: readonly { readonly address: string; readonly status: string }[];
  }[];
  readonly bus: { readonly status: string; readonly detail?: string };
}

describe("two replicas of every service on PostgreSQL", function () {
  this.timeout(240_000);
  let shop: ReplicatedShop;
  let api: Api;
  let each: readonly Api[];
  let admin: Session;

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    const settings = { NODE_ENV: "production", ADMIN_PASSWORD: OWNER.password, LOGIN_FAILURES: "3" };
    shop = await twoOfEach.start({ ...settings, CALL_TIMEOUT: "60000" });
    api = createApi(shop.url);
    each = shop.replicasOf("gateway").map(({ url }) => createApi(url));
    admin = await signIn(api, OWNER);
  });
  after(async () => {
    await api?.close();
    await Promise.all(each?.map((one) => one.close()) ?? []);
    await shop?.stop();
  });

  const status = async (at: Api) => bodyOf<Told>(await at.get("/status"));
  const isWhole = async () => {
    const told = await Promise.all(each.map(status));
    return told.every(
      ({ modules, bus }) => bus.status === "running" && modules.every((one) => one.status === "running"),
    );
  };

  it("lose and double nothing when one of orders stands still and one of products is killed, while clients trade", async () => {
    const random = createRandom(10);
    const harm = { dealt: ["stop", "kill"], random, orders: 20, mostStoppedMs: 4_000 };
    const told = await tortureReplicas(shop, { ...harm, admin, finalWithinMs: 120_000 });
    expect(told).to.match(/^2 faults \(kill products 1, stop orders 1\)/);
  });

  it("are one shop: one first admin, one key, and each gateway tells of both", async () => {
    const { users: accounts = [], signing_keys: keys = [] } = await (await shop.look()).tables("users");
    expect(accounts.filter(({ email }) => email === ADMIN.email)).to.have.length(1);
    expect(keys).to.have.length(1);
    await until("all is well", isWhole);
    for (const at of each) {
      const { modules } = await status(at);
      for (const name of SERVICES.filter((service) => service !== "gateway")) {
        const { replicas = [] } = modules.find((one) => one.name === name) ?? {};
        expect(replicas.map(({ address }) => address)).to.deep.equal(shop.replicasOf(name).map(({ url }) => url));
      }
    }
  });

  it("count failed attempts together", async () => {
    const { id } = await register(api, "forgetful");
    const wrong = { email: "forgetful@example.org", password: "not the password" };
    const answers: number[] = [];
    const isNextRefused = async () => {
      const { status } = await (each[answers.length % 2] ?? api).post("/users/login", wrong);
      answers.push(status);
      return status === 429;
    };
    // The wait is a second at first, and doubles with each failure: a machine that stands still may have let it pass.
    await until("both refuse, one after the other", async () => (await isNextRefused()) && (await isNextRefused()));
    const failures = answers.indexOf(429);
    expect(answers.slice(0, failures), id).to.deep.equal(Array(failures).fill(401));
    expect(failures, "of two that count alone each would take three").to.be.within(3, 5);
  });

  it("answer a retry as the first time, whichever is asked", async () => {
    const product = await addProduct(api, admin, 9);
    const retry = (at: Api) =>
      at.post("/orders", { product_id: product, quantity: 2 }, admin.token, { "idempotency-key": "k" });
    const answers: Answer[] = [];
    for (let n = 0; n < 6; n++) answers.push(await retry(each[n % 2] ?? api));
    expect(new Set(answers.map((answer) => bodyOf<OrderBody>(answer).id)).size).to.equal(1);
    await shop.settled();
    expect(await stockOf(api, product)).to.equal(7);
  });

  it("wake who waits for an order at either", async () => {
    const product = await addProduct(api, admin, 100);
    const final: string[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const placed = await (each[n % 2] ?? api).post("/orders", { product_id: product, quantity: 1 }, admin.token);
        const path = `/orders/${bodyOf<OrderBody>(placed).id}`;
        const waiting = each.map((at) => at.get(path, admin.token, { prefer: "wait=30" }));
        for (const answer of await Promise.all(waiting)) final.push(bodyOf<OrderBody>(answer).status);
      }),
    );
    expect(final).to.deep.equal(Array(40).fill("confirmed"));
  });

  it("keep another shop out of their Redis, and are both told of it", async () => {
    const isTold = async (at: Api, light: string) => {
      const { bus } = await status(at);
      return bus.status === light && bus.detail?.includes("another deployment") === true;
    };
    const stranger = await oneProcess.start({ REDIS_URL: shop.redis?.url ?? "" });
    const strangers = createApi(stranger.url);
    try {
      await until("the other is told", () => isTold(strangers, "down"));
      for (const at of each) await until("this one is told", () => isTold(at, "degraded"));
      const owner = await signIn(strangers);
      const product = await addProduct(strangers, owner, 1);
      bodyOf(await strangers.post("/orders", { product_id: product, quantity: 1 }, owner.token));
      expect(await outcome(await addProduct(api, admin, 1))).to.equal("confirmed");
      expect(await stockOf(strangers, product)).to.equal(1);
    } finally {
      await strangers.close();
      await stranger.stop();
    }
  });

  it("go on when the one is killed that applies events and copies the log", async () => {
    const product = await addProduct(api, admin, 9);
    const holders = () => ask<{ role: string; owner: string }>(shop.database, HOLDERS);
    const before = await holders();
    expect(before.map(({ role }) => role)).to.deep.equal(["apply products", "relay"]);
    const areOthers = async () => (await holders()).every(({ owner }) => before.every((one) => one.owner !== owner));
    // Who of the two it is cannot be seen from here: where the first was not, it is the second.
    for (const replica of shop.replicasOf("orders")) {
      await replica.process.kill();
      expect(await outcome(product)).to.equal("confirmed");
      await shop.restart(replica);
      if (await areOthers()) return;
    }
    throw new Error("who has the leases was not killed");
  });

  /** What becomes of an order. */
  async function outcome(product: string): Promise<string> {
    const key = { "idempotency-key": randomUUID() };
    const placed = await api.post("/orders", { product_id: product, quantity: 1 }, admin.token, key);
    const path = `/orders/${bodyOf<OrderBody>(placed).id}`;
    return bodyOf<OrderBody>(await api.get(path, admin.token, { prefer: "wait=30" })).status;
  }
});
