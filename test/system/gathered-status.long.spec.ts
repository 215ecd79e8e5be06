import Database from "better-sqlite3";
import { expect } from "chai";
import { ADMIN, type Api, bodyOf, createApi } from "../support/api.ts";
import { until } from "../support/process.ts";
import { fourProcesses, oneProcess, type ProcessShop } from "../support/topology.ts";

interface Status {
  readonly modules: readonly { readonly name: string; readonly status: string; readonly detail: string | null }[];
  readonly bus: { readonly status: string; readonly detail?: string };
  readonly backlog: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const STALL = "products lacks events of orders and waits for them";

for (const topology of [oneProcess, fourProcesses]) {
  describe(`the status that the gateway gathers, ${topology.name}`, () => {
    let shop: ProcessShop;
    let api: Api;
    let token: string;

    before(async () => {
      shop = await topology.start({ SEED: "on" });
      api = createApi(shop.url);
      token = bodyOf<{ token: string }>(await api.post("/users/login", ADMIN)).token;
    });
    after(async () => {
      await api?.close();
      await shop?.stop();
    });

    const readStatus = async () => bodyOf<Status>(await api.get("/status"));
    const lightOf = ({ modules }: Status, module: string) => modules.find(({ name }) => name === module);

    it("tells of nothing while all is well", async () => {
      const product = bodyOf<{ data: { id: string }[] }>(await api.get("/products")).data[0]?.id;
      for (let orders = 0; orders < 4; orders += 1) {
        const { status } = await api.post("/orders", { product_id: product, quantity: 1 }, token);
        expect(status).to.equal(201);
      }
      await shop.settled();
      const isWell = async () => {
        const { backlog, modules, bus } = await readStatus();
        const isCurrent = backlog.products?.orders === 0 && backlog.orders?.products === 0;
        return isCurrent && [bus, ...modules].every(({ status }) => status === "running");
      };
      await until("the gateway knows that all are there and nothing waits", isWell);
      expect((await readStatus()).modules).to.have.length(4);
    });

    it("tells of a module that cannot apply events, and of what waits", async () => {
      await shop.halt();
      await loseEvents(shop);
      await shop.begin();
      // Each process tells of itself, once it knows.
      let status = await readStatus();
      const isTold = async () => {
        status = await readStatus();
        const [products, orders] = ["products", "orders"].map((name) => lightOf(status, name));
        const waiting = status.backlog.products?.orders ?? 0;
        return (
          [status.bus, products].every((each) => each?.detail === STALL) && orders?.status === "running" && waiting > 2
        );
      };
      await until("the gateway tells of it, and of nothing else", isTold);
      expect(lightOf(status, "products")).to.include({ status: "degraded", detail: STALL });
      expect(lightOf(status, "orders")).to.include({ status: "running", detail: null });
      expect(status.bus).to.include({ status: "degraded", detail: STALL });
      expect(status.backlog.products?.orders).to.be.greaterThan(2);
      await until("it takes requests all the same", async () => (await api.get("/readyz")).status === 200);
    });
  });
}

describe("dead letters while a module is away, four processes", () => {
  it("are listed with the name of who is missing", async () => {
    const shop = await fourProcesses.start({ SEED: "on" });
    const api = createApi(shop.url);
    const token = bodyOf<{ token: string }>(await api.post("/users/login", ADMIN)).token;
    expect((await api.get("/events/dead-letters", token)).body).to.deep.equal({ data: [], next_cursor: null });
    await shop.kill("products");
    const told = await api.get("/events/dead-letters", token);
    expect(told.status).to.equal(200);
    expect(told.body).to.deep.equal({ data: [], next_cursor: null, missing: ["products"] });
    await api.close();
    await shop.stop();
  });
});

/** Takes events out of the log of orders that products has not applied, and out of Redis what it has. */
async function loseEvents(shop: ProcessShop): Promise<void> {
  const fileOf = await shop.databases();
  const products = new Database(fileOf("products"));
  products.exec("UPDATE cursors SET seq = 1 WHERE publisher = 'orders'");
  products.close();
  const orders = new Database(fileOf("orders"));
  orders.exec("DELETE FROM outbox WHERE seq IN (2, 3)");
  orders.close();
  await shop.loseRedis();
  await shop.returnRedis();
}
