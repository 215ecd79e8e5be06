import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import {
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
import { assertBalanced } from "../support/books.ts";
import { extent } from "../support/extent.ts";
import { until } from "../support/process.ts";
import { fourProcesses, oneProcess, type ProcessShop, type Service } from "../support/topology.ts";

const CRASH_POINT = new URL("crash-point.ts", import.meta.url);
const STOCK = 1_000;

/** Every how many moments a process is killed: 1 is each. */
const stride = Number(process.env.CRASH_STRIDE ?? extent("kills at more moments", 4, 12));

const everyVictim: readonly [typeof oneProcess, Service][] = [
  [oneProcess, "orders"],
  [fourProcesses, "orders"],
  [fourProcesses, "products"],
];
const victims = extent("kills of products, and of orders in four processes", everyVictim, everyVictim.slice(0, 1));

for (const [topology, victim] of victims) {
  describe(`kill -9 between any two statements: ${victim} in ${topology.name}`, function () {
    this.timeout(300_000);
    let folder: string;
    let crashFile: string;
    let shop: ProcessShop;
    let api: Api;
    let admin: Session;
    let buyer: Session;
    let product: string;
    /** Keys of orders that were asked for. */
    let asked = 0;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "crash-"));
      crashFile = join(folder, "crash");
      shop = await topology.start({ CRASH_FILE: crashFile });
      await shop.kill(victim);
      await shop.restart(victim, CRASH_POINT);
      api = createApi(shop.url);
      admin = await signIn(api);
      buyer = await register(api, "survivor");
      product = await addProduct(api, admin, STOCK);
    });

    after(async () => {
      await api.close();
      await shop.stop();
      await rm(folder, { recursive: true, force: true });
    });

    it("while an order is placed, decided and confirmed: it is taken once, and its stock too", async () => {
      const moments = await killAtEach(async () => {
        asked += 1;
        const key = { "idempotency-key": `order ${asked}` };
        return place(key);
      });
      expectMany(moments);
      const orders = await assertBalanced(api, admin, new Map([[product, STOCK]]));
      expect(orders.length).to.equal(asked);
      expect(orders.map(({ status }) => status)).to.deep.equal(orders.map(() => "confirmed"));
    });

    it("while an order is cancelled: its stock comes back once", async () => {
      const before = await stockOf(api, product);
      const moments = await killAtEach(async () => {
        const [order] = bodyOf<{ data: OrderBody[] }>(
          await api.get("/orders?status=confirmed&limit=1", buyer.token),
        ).data;
        return () => api.post(`/orders/${order?.id}/cancel`, undefined, buyer.token);
      });
      expectMany(moments);
      const orders = await assertBalanced(api, admin, new Map([[product, STOCK]]));
      const cancelled = orders.filter(({ status }) => status === "cancelled").length;
      expect(cancelled).to.be.at.least(moments.length);
      expect(await stockOf(api, product)).to.equal(before + cancelled);
    });

    /** Were there few, it would not have been killed in the midst of both placing and applying. */
    function expectMany(moments: readonly string[]): void {
      expect(moments.length * stride).to.be.at.least(15);
      if (stride === 1) expect(moments).to.include("after COMMIT");
    }

    function place(key: Record<string, string>): () => Promise<Answer> {
      return () => api.post("/orders", { product_id: product, quantity: 1 }, buyer.token, key);
    }

    /**
     * Makes a call again and again, with the victim killed one moment later each time, until a call and all that
     * follows from it need fewer moments. A call that was not answered is made again after the restart.
     * @returns the moments
     */
    async function killAtEach(prepare: () => Promise<() => Promise<Answer>>): Promise<string[]> {
      const moments: string[] = [];
      for (let moment = 1; ; moment += stride) {
        const call = await prepare();
        await writeFile(crashFile, String(moment));
        const answered = await call().then(
          ({ status }) => status < 300,
          () => false,
        );
        if (answered) await settledOrDead();
        await rm(crashFile, { force: true });
        const crashed = existsSync(`${crashFile}.crashed`);
        if (crashed) {
          await shop.process(victim).exited;
          moments.push(await readFile(`${crashFile}.crashed`, "utf8"));
        } else {
          await shop.kill(victim);
        }
        await rm(`${crashFile}.crashed`, { force: true }); // also of one that came to its moment only now
        await shop.restart(victim, CRASH_POINT);
        if (!answered) await untilAnswered(call);
        await shop.settled();
        if (answered && !crashed) return moments;
      }
    }

    async function settledOrDead(): Promise<void> {
      const { exited } = shop.process(victim);
      await Promise.race([exited, shop.settled()]);
    }

    /** A neighbour that was away may be left alone for a moment. */
    async function untilAnswered(call: () => Promise<Answer>): Promise<void> {
      await until("the call is answered", async () => {
        const answer = await call().catch(() => undefined);
        if (answer !== undefined && answer.status < 300) return true;
        await sleep(50);
        return false;
      });
    }
  });
}
