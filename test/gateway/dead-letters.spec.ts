import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { z } from "zod";
import { type Api, addProduct, bodyOf, createApi, register, type Session, signIn, stockOf } from "../support/api.ts";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "../support/process.ts";
import { type RedisServer, startRedisServer } from "../support/redis.ts";
import { placesOf, SERVICES } from "../support/topology.ts";

interface DeadLetter {
  readonly id: string;
  readonly module: string;
  readonly event: { readonly type: string; readonly subject: string };
  readonly error: string;
  readonly attempts: number;
}

const MAIN = fileURLToPath(new URL("../../bin/main.js", import.meta.url));
const POISON = { FAULTS: "products:order.created=poison" };
const NOBODY = "0193f0a0-0000-7000-8000-000000000000";

const splits = [
  { name: "one process", groups: [SERVICES] },
  { name: "HTTP and Redis", groups: [SERVICES.filter((name) => name !== "products"), ["products"]] },
] as const;

for (const { name, groups } of splits) {
  describe(`dead letters, ${name}`, () => {
    let shop: Shop;
    let api: Api;
    let admin: Session;
    let buyer: Session;
    let productId: string;
    const orderIds: string[] = [];

    before(async () => {
      shop = await startShop(groups);
      api = createApi(shop.url);
      admin = await signIn(api);
      buyer = await register(api, "buyer");
      productId = await addProduct(api, admin, 10);
      for (const quantity of [1, 2, 4]) {
        const order = await api.post("/orders", { product_id: productId, quantity }, buyer.token);
        orderIds.push(bodyOf<{ id: string }>(order).id);
      }
      await until("all three are dead letters", async () => (await list()).length === 3);
    });
    after(async () => {
      await api?.close();
      await shop?.stop();
    });

    const list = async () => bodyOf<{ data: DeadLetter[] }>(await api.get("/events/dead-letters", admin.token)).data;
    const settle = (id: string, action: "replay" | "discard", who: Session = admin) =>
      api.post(`/events/dead-letters/${id}/${action}`, undefined, who.token);
    const letterOf = async (orderId: string | undefined) =>
      (await list()).find(({ event }) => event.subject === orderId)?.id ?? "";
    const statusOf = async (orderId: string | undefined, wait = 0) =>
      bodyOf<{ status: string }>(await api.get(`/orders/${orderId}`, buyer.token, { prefer: `wait=${wait}` })).status;

    it("tell which module could not apply which event, and why, newest first", async () => {
      const letters = await list();
      expect(letters.map(({ event }) => event.subject)).to.deep.equal([...orderIds].reverse());
      for (const { id, module, event, error, attempts } of letters) {
        expect(z.uuidv7().safeParse(id).success).to.equal(true);
        expect([module, event.type, attempts]).to.deep.equal(["products", "order.created", 5]);
        expect(error).to.include("poison");
      }
    });

    it("come in pages", async () => {
      const first = await api.get("/events/dead-letters?limit=2", admin.token);
      const { data, next_cursor } = bodyOf<{ data: DeadLetter[]; next_cursor: string }>(first);
      expect(data).to.have.length(2);
      expect(first.headers.link).to.equal(`</events/dead-letters?limit=2&cursor=${next_cursor}>; rel="next"`);
      const rest = await api.get(`/events/dead-letters?limit=2&cursor=${next_cursor}`, admin.token);
      expect(bodyOf<{ data: DeadLetter[]; next_cursor: null }>(rest)).to.deep.equal({
        data: (await list()).slice(2),
        next_cursor: null,
      });
    });

    it("are an admin's alone", async () => {
      const [letter] = await list();
      const path = `/events/dead-letters/${letter?.id}`;
      expect((await api.get("/events/dead-letters")).status).to.equal(401);
      expect((await api.get("/events/dead-letters", buyer.token)).status).to.equal(403);
      for (const action of ["replay", "discard"]) {
        expect((await api.post(`${path}/${action}`)).status).to.equal(401);
        expect((await api.post(`${path}/${action}`, undefined, buyer.token)).status).to.equal(403);
        const unknown = await api.post(`/events/dead-letters/${NOBODY}/${action}`, undefined, admin.token);
        expect(unknown.status).to.equal(404);
      }
      expect((await settle("no-id", "replay")).status).to.equal(422);
      expect(await list()).to.have.length(3);
    });

    it("stay, with one more try, when a replay fails", async () => {
      const id = await letterOf(orderIds[0]);
      const answer = await settle(id, "replay");
      expect([answer.status, (answer.body as { type: string }).type]).to.deep.equal([409, "/problems/replay-failed"]);
      const letter = (await list()).find((each) => each.id === id);
      expect(letter).to.include({ id, attempts: 6 });
      expect(await statusOf(orderIds[0])).to.equal("pending");
    });

    it("are applied by a replay once the cause is gone, each once", async () => {
      const id = await letterOf(orderIds[0]);
      await shop.restartProducts();
      expect(await list()).to.have.length(3);
      const answers = await Promise.all([1, 2, 3].map(() => settle(id, "replay")));
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([204, 404, 404]);
      expect(await statusOf(orderIds[0], 30)).to.equal("confirmed");
      expect(await stockOf(api, productId)).to.equal(9);
    });

    it("are no more once they are discarded", async () => {
      const id = await letterOf(orderIds[1]);
      expect((await settle(id, "discard")).status).to.equal(204);
      expect((await settle(id, "discard")).status).to.equal(404);
      expect((await settle(id, "replay")).status).to.equal(404);
      expect(await statusOf(orderIds[1])).to.equal("pending");
      expect(await list()).to.have.length(1);
    });

    it("are listed and settled by the command", async () => {
      const id = await letterOf(orderIds[2]);
      const listed = await shop.command([]);
      expect(listed.stdout).to.include(id).and.include(`products could not apply order.created of ${orderIds[2]}`);
      expect((await shop.command(["replay", id])).stdout).to.equal(`${id} was applied.\n`);
      expect(await statusOf(orderIds[2], 30)).to.equal("confirmed");
      expect(await list()).to.deep.equal([]);
      const again = await shop.command(["discard", id]).catch((error: { code: number; stderr: string }) => error);
      expect(again).to.include({ code: 1, stderr: "Not found: There is no such dead letter.\n" });
      expect(await stockOf(api, productId)).to.equal(5);
    });

    it("say who cannot sign in, and what is expected, when they are asked for by the command", async () => {
      const flags = ["--admin-email", "nobody@example.org", "--admin-password", "the password of nobody"];
      const refused = await shop.command(flags).catch((error: { code: number; stderr: string }) => error);
      expect(refused).to.include({
        code: 1,
        stderr:
          "This configuration cannot work:\nnobody@example.org cannot sign in: expected ADMIN_TOKEN, or ADMIN_EMAIL and ADMIN_PASSWORD, of an admin of that shop\n",
      });
    });
  });
}

interface Shop {
  readonly url: string;
  /** Starts the process of products again, without the fault. */
  restartProducts(): Promise<void>;
  /** Runs `dead-letters` with these words. */
  command(words: readonly string[]): Promise<{ stdout: string; stderr: string }>;
  stop(): Promise<void>;
}

async function startShop(groups: readonly (readonly string[])[]): Promise<Shop> {
  const folder = await mkdtemp(join(tmpdir(), "dead-letters-"));
  const ports = await freePorts(SERVICES.length);
  const places = placesOf(SERVICES.map((service, at) => [service, ports[at] ?? 0]));
  const redis: RedisServer | undefined = groups.length > 1 ? await startRedisServer() : undefined;
  const url = `http://127.0.0.1:${places.PORT}`;
  const env = {
    ...{ NODE_ENV: "test", LOG_LEVEL: "fatal", BCRYPT_COST: "4", DATA_DIR: folder, CALL_TIMEOUT: "10000" },
    ...{ RATE_LIMIT: "off", AUTH_RATE_LIMIT: "off", REFRESH_RATE_LIMIT: "off" },
    ...places,
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  };
  const running = new Map<string, ShopProcess>();
  const spawn = (serve: string, faults = {}) =>
    running.set(serve, startShopProcess({ env: { ...env, ...faults, SERVE: serve }, cwd: folder }));
  for (const group of groups) spawn(group.join(","), POISON);
  await untilReady(url, [...running.values()]);
  return {
    url,
    async restartProducts() {
      const [serve, process] = [...running].find(([name]) => name.includes("products")) ?? [];
      await process?.terminate();
      spawn(serve ?? "");
      if (redis !== undefined) await untilReady(`http://127.0.0.1:${places.PRODUCTS_PORT}`, [...running.values()]);
      await untilReady(url, [...running.values()]);
    },
    command: (words) =>
      promisify(execFile)(process.execPath, [MAIN, "dead-letters", ...words, "--gateway-url", url], {
        cwd: folder,
        env: { PATH: process.env.PATH },
      }),
    async stop() {
      await Promise.all([...running.values()].map((each) => each.terminate()));
      await redis?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
