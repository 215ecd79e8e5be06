import { expect } from "chai";
import { contextOf, openShop, type Shop } from "../orders/shop.ts";

const anyone = contextOf(null);

describe("the demo products", () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());

  it("fills an empty shop once, also where two do at the same moment", async () => {
    const seed = () => shop.modules.products.seed?.();
    expect(await Promise.all([seed(), seed()])).to.have.members(["12 demo products", undefined]);
    expect(await seed()).to.equal(undefined);
    const { data } = await shop.products.listProducts({ limit: 100 }, anyone);
    expect(data).to.have.length(12);
    expect(new Set(data.map(({ name }) => name))).to.have.length(12);
    expect(data.some(({ stock }) => stock > 0 && stock < 5)).to.equal(true);
  });

  it("never touches a shop that has products, be they inactive", async () => {
    const { id } = await shop.addProduct();
    await shop.products.updateProduct({ id, active: false }, shop.admin);
    expect(await shop.modules.products.seed?.()).to.equal(undefined);
  });
});
