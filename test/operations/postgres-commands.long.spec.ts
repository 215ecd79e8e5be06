import { expect } from "chai";
import { addProduct, bodyOf, createApi, type OrderBody, register, signIn } from "../support/api.ts";
import { ask, missingPostgres } from "../support/postgres.ts";
import { startShopProcess } from "../support/process.ts";
import { oneOnPostgres, type ProcessShop } from "../support/topology.ts";

describe("the commands, where the data are in PostgreSQL", () => {
  let shop: ProcessShop;
  let url: string;

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    shop = await oneOnPostgres.start();
    url = shop.database?.url ?? "";
    const api = createApi(shop.url);
    const [admin, buyer] = [await signIn(api), await register(api, "ada")];
    const product_id = await addProduct(api, admin, 5);
    const order = await api.post("/orders", { product_id, quantity: 2 }, buyer.token);
    await shop.settled();
    expect(bodyOf<OrderBody>(await api.get(`/orders/${bodyOf<OrderBody>(order).id}`, buyer.token)).status).to.equal(
      "confirmed",
    );
    await api.close();
  });
  after(() => shop?.stop());

  async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
    const command = startShopProcess({ env: { DATABASE_URL: url }, args, cwd: shop.dataDir });
    const { code } = await command.exited;
    return { code, output: command.output() };
  }

  it("reconcile compares the schemas of a shop that runs, as of one moment", async () => {
    const told = await run("reconcile");
    expect(told).to.deep.equal({
      code: 0,
      output: "Orders looked at: 1; not judged, since events of them are under way: 0.\nAll adds up.\n",
    });
    await ask(url, "UPDATE products.products SET stock = stock + 1");
    const found = await run("reconcile");
    expect(found.code).to.equal(1);
    expect(found.output).to.match(/This does not add up:\n.*stock/);
    await ask(url, "UPDATE products.products SET stock = stock - 1");
  });

  it("backup and restore say what does it there", async () => {
    expect(await run("backup", "monday"))
      .to.deep.include({ code: 1 })
      .and.to.have.property("output")
      .that.contains("pg_dump");
    expect(await run("restore", "monday"))
      .to.deep.include({ code: 1 })
      .and.to.have.property("output")
      .that.contains("pg_restore");
  });

  it("keys:rotate begins a rotation that the shop notices", async () => {
    const keys = async () =>
      ((await (await fetch(`${shop.url}/.well-known/jwks.json`)).json()) as { keys: unknown[] }).keys.length;
    expect(await keys()).to.equal(1);
    expect(await run("keys:rotate")).to.deep.include({ code: 0 });
    expect(await keys()).to.equal(2);
  });
});
