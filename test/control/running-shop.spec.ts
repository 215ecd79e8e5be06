import { expect } from "chai";
import { describeProcesses } from "../../src/operate/commands/processes.ts";
import { type Api, createApi, type OrderBody, register, type Session } from "../support/api.ts";
import { readStream } from "../support/event-stream.ts";
import { freePorts, startShopProcess, until, untilReady } from "../support/process.ts";
import { oneProcess, type ProcessShop, TEST_SETTINGS } from "../support/topology.ts";

/** What slow-users adds, and what its timer is sure to be by then: timers may be a millisecond early. */
const SLOWER_MS = 1_490;

describe("a running shop and its control socket", () => {
  let shop: ProcessShop;
  let api: Api;
  let admin: Session;
  let product: string | undefined;

  before(async () => {
    shop = await oneProcess.start({ NODE_ENV: "development" });
    api = createApi(shop.url);
    admin = (await api.post("/console/sign-in")).body as Session;
    const { data } = (await api.get("/products?limit=1")).body as { data: { id: string }[] };
    product = data[0]?.id;
  });
  after(async () => {
    await api?.close();
    await shop?.stop();
  });

  const use = (name: string, action: unknown, token?: string) =>
    api.post(`/console/controls/${name}`, { action }, token);

  const stateIn = (data: unknown, name: string) =>
    (data as { controls: { name: string; state: string }[] }).controls.find((each) => each.name === name)?.state;

  const place = () => api.post("/orders", { product_id: product, quantity: 1 }, admin.token);
  const order = async () => (await place()).status;
  const read = async (id: string) => (await api.get(`/orders/${id}`, admin.token)).body as OrderBody;

  /** How many events wait for products, as a pulse has it; undefined where it does not know. */
  const backlogIn = (data: unknown) => (data as { backlog: Record<string, number> }).backlog.products;

  async function lightOf(name: string): Promise<unknown> {
    const { modules } = (await api.get("/status")).body as { modules: Record<string, unknown>[] };
    const found = modules.find((module) => module.name === name);
    return [found?.status, found?.placement, found?.detail];
  }

  async function readMeMs(): Promise<number> {
    const startedAt = performance.now();
    expect((await api.get("/users/me", admin.token)).status).to.equal(200);
    return performance.now() - startedAt;
  }

  it("lets the page make each call of users take 1.5 s longer, until that is undone; who watches is told", async () => {
    const reader = await readStream(shop.url);
    await reader.next("controls", (data) => stateIn(data, "slow-users") === "ready");
    await readMeMs(); // its keys are known then
    const { status, body } = await use("slow-users", "do");
    expect(status).to.equal(200);
    expect(body).to.include({ name: "slow-users", state: "active" });
    expect(body).to.have.property("undo_in_ms").that.is.within(1, 30_000);
    expect(await readMeMs()).to.be.at.least(SLOWER_MS);
    await reader.next("controls", (data) => stateIn(data, "slow-users") === "active");
    expect((await use("slow-users", "undo")).body).to.deep.equal({ name: "slow-users", state: "ready" });
    await until("it is as fast as before", async () => (await readMeMs()) < SLOWER_MS);
    await until(
      "the watcher is told",
      () => stateIn(reader.messages("controls").at(-1)?.data, "slow-users") === "ready",
    );
    reader.close();
  });

  it("lets the page fill the disk of orders, as SQLite itself says, until that is undone", async () => {
    expect((await use("fill-orders", "do")).body).to.include({ state: "active" });
    await until("there is no space", async () => (await order()) === 507);
    const { body } = await api.get("/status");
    const { modules } = body as { modules: { name: string; detail: string }[] };
    expect(modules.find(({ name }) => name === "orders")?.detail).to.include("SQLITE_FULL");
    expect((await use("fill-orders", "undo")).body).to.deep.equal({ name: "fill-orders", state: "ready" });
    expect(await order()).to.equal(201);
  });

  it("lets the page kill products in the process that it shares: its events wait, and are applied when it is back", async () => {
    const placed = (await place()).body as OrderBody;
    await until("it is confirmed", async () => (await read(placed.id)).status === "confirmed");
    const reader = await readStream(shop.url);
    await reader.next("pulse", (data) => backlogIn(data) === 0);
    expect((await use("kill-products", "do")).body).to.include({ state: "active" });
    for (const { status, body } of [await api.get("/products"), await place()]) {
      expect(status).to.equal(503);
      expect(body).to.include({ detail: "The products service cannot be reached." });
    }
    expect(await lightOf("products")).to.deep.equal(["down", "in-process", "does not answer"]);
    expect((await api.post(`/orders/${placed.id}/cancel`, {}, admin.token)).status).to.equal(200);
    await reader.next("pulse", (data) => backlogIn(data) === 1);
    expect(stateIn((await api.get("/console/controls")).body, "kill-products")).to.equal("active");
    expect((await use("kill-products", "undo")).body).to.deep.equal({ name: "kill-products", state: "ready" });
    expect(await lightOf("products")).to.deep.equal(["running", "in-process", null]);
    await reader.nextNew("pulse", (data) => backlogIn(data) === 0);
    expect((await place()).status).to.equal(201);
    reader.close();
  });

  it("says why controls are not to be had, and of what is no control that it is not there", async () => {
    const { body } = await api.get("/console/controls");
    for (const name of ["move-orders", "hang-redis"]) {
      expect(stateIn(body, name), name).to.equal("unavailable");
      const { status, body: told } = await use(name, "do");
      expect(status, name).to.equal(503);
      expect(told)
        .to.have.property("detail")
        .that.matches(/npm run dev/);
    }
    expect((await use("nonsense", "do")).status).to.equal(404);
    for (const action of ["x", null]) expect((await use("slow-users", action)).status).to.equal(422);
  });

  it("lets in who may read the console, and no page of another origin", async () => {
    const customer = await register(api, "a-customer");
    expect((await use("slow-users", "do", customer.token)).status).to.equal(403);
    const foreign = { origin: "https://evil.example" };
    expect((await api.get("/console/controls", undefined, foreign)).status).to.equal(401);
    expect((await api.post("/console/controls/slow-users", { action: "do" }, undefined, foreign)).status).to.equal(401);
    expect(stateIn((await api.get("/console/controls")).body, "slow-users")).to.equal("ready");
  });

  it("tells who serves what, by pid and address, and plainly where there is nobody", async () => {
    const env = { ...TEST_SETTINGS, DATA_DIR: shop.dataDir };
    const command = startShopProcess({ env, args: ["topology"], cwd: shop.dataDir });
    expect((await command.exited).code, command.output()).to.equal(0);
    const { pid } = shop.process("gateway");
    const first = `^  pid ${pid} +gateway +${shop.url}\\n +users +called directly\\n`;
    expect(command.output()).to.match(new RegExp(first, "m")).and.to.include("As these settings have it");
    expect(command.output()).to.match(/^ +events +in its memory$/m);
    expect(await describeProcesses(`${shop.dataDir}/elsewhere`)).to.match(/^Nobody serves from .*elsewhere now/);
  });

  it("serves all the same where there is no place for a socket", async () => {
    const [port = 0, other = 0] = await freePorts(2);
    const elsewhere = `http://127.0.0.1:${other}`;
    const urls = { USERS_URL: elsewhere, PRODUCTS_URL: elsewhere, ORDERS_URL: elsewhere };
    const place = { SERVE: "gateway", PORT: `${port}`, DATA_DIR: "/proc/nowhere", REDIS_URL: "redis://127.0.0.1:1" };
    const env = { ...TEST_SETTINGS, ...urls, ...place, LOG_LEVEL: "debug" };
    const gateway = startShopProcess({ env, cwd: shop.dataDir });
    try {
      await untilReady(`http://127.0.0.1:${port}`, [gateway], "/livez");
      await until("it is told", () => /no control socket in \/proc\/nowhere: \S+/.test(gateway.output()));
    } finally {
      await gateway.kill();
    }
  });
});
