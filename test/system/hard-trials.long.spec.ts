import { expect } from "chai";
import { createRandom } from "../bus/simulation/random.ts";
import { type Api, addProduct, createApi, register, type Session, signIn } from "../support/api.ts";
import { missingPgbouncer } from "../support/pgbouncer.ts";
import { missingPostgres } from "../support/postgres.ts";
import { fourOn, type ProcessShop } from "../support/topology.ts";
import { injectConflicts } from "../torture/conflicts.ts";
import { faultsOf } from "../torture/faults.ts";
import { judge } from "../torture/judge.ts";
import { startLoad } from "./steady-load.ts";

const STOCK = 100_000;

describe("a shop that goes through PgBouncer at SERIALIZABLE, whose statements and COMMITs are refused now and then", function () {
  this.timeout(180_000);
  let shop: ProcessShop;
  let api: Api;
  let admin: Session;

  before(async function () {
    if ((missingPostgres() ?? missingPgbouncer()) !== undefined) return this.skip();
    shop = await fourOn({ pooled: true, serializable: true }).start();
    api = createApi(shop.url);
    admin = await signIn(api);
  });
  after(async () => {
    await api?.close();
    await shop?.stop();
  });

  it("gets on, and loses and doubles nothing when a service, the pooler and PostgreSQL are killed", async () => {
    const { url = "" } = shop.database ?? {};
    const opening = new Map([[await addProduct(api, admin, STOCK), STOCK]]);
    const buyer = await register(api, "buyer");
    const refused = await injectConflicts(url, 0.02);
    const load = startLoad(api, buyer, [...opening.keys()], 4);
    const { kill, pooler, postgres } = faultsOf(shop, undefined, createRandom(1), []);
    for (const fault of [pooler, kill, postgres]) {
      await load.more(10);
      await fault?.();
    }
    await load.more(10);
    await load.stop();
    await judge(shop, api, admin, load, opening, { withinMs: 120_000 });
    expect(await refused()).to.be.greaterThan(0);
  });
});
