import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
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
import { assertBalanced } from "../support/books.ts";
import { missingPostgres, type PostgresServer, startPostgresServer } from "../support/postgres.ts";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "../support/process.ts";
import { type RedisServer, startRedisServer } from "../support/redis.ts";
import { TEST_SETTINGS } from "../support/topology.ts";

const STOCK = 1_000;

describe("a shop that was moved to PostgreSQL, and back, with events through Redis", () => {
  let server: PostgresServer;
  let redis: RedisServer;
  let folder: string;
  let url: string;
  let env: Readonly<Record<string, string>>;
  let shop: ShopProcess | undefined;
  let api: Api;
  let buyer: Session;
  let admin: Session;
  let product: string;
  let refreshToken: string;
  let database: string;
  const placed: { readonly key: string; readonly id: string }[] = [];

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    [server, redis] = await Promise.all([startPostgresServer(), startRedisServer()]);
    folder = await mkdtemp(join(tmpdir(), "quartet-moved-"));
    const [port = 0] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    env = { ...TEST_SETTINGS, PORT: `${port}`, REDIS_URL: redis.url };
    api = createApi(url);
    database = await server.createDatabase();
  });
  after(async () => {
    await api?.close();
    await shop?.terminate();
    await Promise.all([server?.stop(), redis?.stop()]);
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  async function serve(settings: Readonly<Record<string, string>>): Promise<void> {
    shop = startShopProcess({ env: { ...env, ...settings }, cwd: folder });
    await untilReady(url, [shop]);
  }

  async function move(from: string, to: string): Promise<void> {
    await shop?.terminate();
    const moving = startShopProcess({ args: ["move-store", "--from", from, "--to", to], env: {}, cwd: folder });
    expect((await moving.exited).code, moving.output()).to.equal(0);
    expect(moving.output()).to.include("All adds up.");
  }

  const place = (key: string) =>
    api.post("/orders", { product_id: product, quantity: 1 }, buyer.token, { "idempotency-key": key });
  const statusOf = async (id: string) => bodyOf<OrderBody>(await api.get(`/orders/${id}`, buyer.token)).status;

  /** Orders with a key each; one that is there from before is cancelled. */
  async function goOn(): Promise<void> {
    for (let count = 0; count < 5; count += 1) {
      const key = `key ${placed.length}`;
      placed.push({ key, id: bodyOf<OrderBody>(await place(key)).id });
    }
    const { id } = placed[placed.length / 5 - 1] ?? { id: "" };
    bodyOf(await api.post(`/orders/${id}/cancel`, undefined, buyer.token));
    await until("all is decided", async () =>
      (await Promise.all(placed.map(({ id }) => statusOf(id)))).every((status) => status !== "pending"),
    );
  }

  /** That what was begun before the move goes on after it. */
  async function expectGoesOn(): Promise<void> {
    const refreshed = await api.post("/users/refresh", { refresh_token: refreshToken });
    const session = bodyOf<{ token: string; refresh_token: string }>(refreshed);
    expect((await api.get("/users/me", buyer.token)).status, "a token from before").to.equal(200);
    expect((await api.get("/users/me", session.token)).status).to.equal(200);
    refreshToken = session.refresh_token;
    for (const { key, id } of placed) {
      const again = await place(key);
      expect([again.status, again.headers["idempotency-replayed"], bodyOf<OrderBody>(again).id]).to.deep.equal([
        201,
        "true",
        id,
      ]);
    }
    await goOn();
    let cancelled = 0;
    await until("all that was cancelled is given back", async () => {
      const orders = await Promise.all(placed.map(({ id }) => statusOf(id)));
      cancelled = orders.filter((status) => status === "cancelled").length;
      return (await stockOf(api, product)) === STOCK - placed.length + cancelled;
    });
    expect(cancelled).to.be.above(0);
    const orders = await assertBalanced(api, admin, new Map([[product, STOCK]]));
    expect(orders.length).to.equal(placed.length);
  }

  it("is a shop in files at first", async () => {
    await serve({ DATA_DIR: join(folder, "data") });
    admin = await signIn(api);
    buyer = await register(api, "ann");
    const login = { email: "ann@example.org", password: "the password of ann" };
    refreshToken = bodyOf<{ refresh_token: string }>(await api.post("/users/login", login)).refresh_token;
    product = await addProduct(api, admin, STOCK);
    await goOn();
  });

  it("goes on in PostgreSQL: sessions, keys and events", async () => {
    await move(join(folder, "data"), database);
    await serve({ DATABASE_URL: database });
    await expectGoesOn();
  });

  it("goes on in files again", async () => {
    await move(database, join(folder, "back"));
    await serve({ DATA_DIR: join(folder, "back") });
    await expectGoesOn();
  });
});
