import { expect } from "chai";
import { type Api, addProduct, bodyOf, createApi, register, signIn } from "../support/api.ts";
import { oneProcess, type ProcessShop } from "../support/topology.ts";

const YEAR_AHEAD = new URL("year-ahead.ts", import.meta.url);
const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;
const LISTS = ["orders", "products", "users"] as const;

interface Kept {
  readonly id: string;
  readonly created_at: string;
}

describe("a clock that was a year ahead, and is right again", () => {
  let shop: ProcessShop;
  let api: Api;

  before(async () => {
    shop = await oneProcess.start();
    api = createApi(shop.url);
  });
  after(async () => {
    await api.close();
    await shop.stop();
  });

  async function restart(preload?: URL): Promise<void> {
    await shop.halt();
    await shop.restart("gateway", preload);
  }

  /** One of each kind. @returns their ids by the list that they are in */
  async function add(name: string): Promise<Record<(typeof LISTS)[number], string>> {
    const person = await register(api, name);
    const product = await addProduct(api, await signIn(api), 5, name);
    const order = bodyOf<Kept>(await api.post("/orders", { product_id: product, quantity: 1 }, person.token));
    return { orders: order.id, products: product, users: person.id };
  }

  it("leaves every list in the order in which things came, also over restarts, and the times as they are", async () => {
    const before = await add("before");
    await restart(YEAR_AHEAD);
    const ahead = await add("ahead");
    await restart();
    const first = await add("first");
    await restart();
    const second = await add("second");
    const { token } = await signIn(api);
    for (const list of LISTS) {
      const { data } = bodyOf<{ data: Kept[] }>(await api.get(`/${list}?limit=4`, token));
      expect(
        data.map(({ id }) => id),
        list,
      ).to.deep.equal([second, first, ahead, before].map((ids) => ids[list]));
      const aheadMs = data.map(({ created_at }) => Date.parse(created_at) - Date.now() > YEAR_MS / 2);
      expect(aheadMs, list).to.deep.equal([false, false, true, false]);
    }
  });
});
