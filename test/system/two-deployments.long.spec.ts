import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import {
  type Api,
  addProduct,
  bodyOf,
  createApi,
  type OrderBody,
  type Session,
  signIn,
  stockOf,
} from "../support/api.ts";
import { until } from "../support/process.ts";
import { fourProcesses, type ProcessShop } from "../support/topology.ts";

const MAIN = fileURLToPath(new URL("../../bin/main.js", import.meta.url));

describe("a shop and a copy of it on one Redis by mistake, four processes each", () => {
  let shop: ProcessShop;
  let api: Api;
  let admin: Session;
  let product: string;
  let folder: string;

  const order = async (at: Api, who: Session) =>
    bodyOf<OrderBody>(await at.post("/orders", { product_id: product, quantity: 1 }, who.token)).id;
  const statusOf = async (id: string, at: Api, who: Session) =>
    bodyOf<OrderBody>(await at.get(`/orders/${id}`, who.token)).status;
  const isTold = async (at: Api, light: string) => {
    const { bus } = bodyOf<{ bus: { status: string; detail?: string } }>(await at.get("/status"));
    return bus.status === light && bus.detail?.includes("another deployment") === true;
  };

  before(async () => {
    shop = await fourProcesses.start();
    api = createApi(shop.url);
    admin = await signIn(api);
    product = await addProduct(api, admin, 100);
    folder = await mkdtemp(join(tmpdir(), "copy-"));
  });
  after(async () => {
    await api?.close();
    await shop?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("are both told, and neither applies what is the other's, though a module of the first is away", async () => {
    const bought = [await order(api, admin), await order(api, admin)];
    await shop.settled();
    const backup = join(folder, "backup");
    await promisify(execFile)(process.execPath, [MAIN, "backup", backup, "--data-dir", shop.dataDir]);
    await shop.kill("products");
    bodyOf(await api.post(`/orders/${bought[0]}/cancel`, undefined, admin.token));
    await sleep(5_000); // longer than its place is kept

    const copy = await fourProcesses.start({ REDIS_URL: shop.redis?.url ?? "", DATA_DIR: backup });
    const copyApi = createApi(copy.url);
    try {
      const copyAdmin = await signIn(copyApi);
      await until("the copy is told", () => isTold(copyApi, "down"));
      await until("the first is told", () => isTold(api, "degraded"));
      const copyOrders = [await order(copyApi, copyAdmin), await order(copyApi, copyAdmin)];
      await shop.restart("products");
      const mine = await order(api, admin);
      await until("it goes on", async () => (await statusOf(mine, api, admin)) === "confirmed");
      await shop.settled();
      // 100, less two, more the one cancelled, less one more
      expect(await stockOf(api, product)).to.equal(98);
      expect(await stockOf(copyApi, product), "of the copy, as it was copied").to.equal(98);
      for (const id of copyOrders) expect(await statusOf(id, copyApi, copyAdmin)).to.equal("pending");
      for (const each of ["products", "orders"] as const) {
        for (const { output } of [shop.process(each), copy.process(each)])
          await until(`${each} says what to do`, () => output().includes("REDIS_PREFIX"));
      }
    } finally {
      await copyApi.close();
      await copy.stop();
    }
    await until("it is alone again", async () => !(await isTold(api, "degraded")));
  });
});
