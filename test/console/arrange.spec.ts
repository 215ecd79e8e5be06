import { expect } from "chai";
import { arrange } from "../../console/src/model/arrange.ts";

describe("console: the modules' places", () => {
  const users = { name: "users", calls: [] };
  const products = { name: "products", calls: [] };
  const orders = { name: "orders", calls: ["users", "products"] };

  it("put a module between the two that it calls", () => {
    expect(arrange([users, products, orders])).to.deep.equal(["users", "orders", "products"]);
  });

  it("put a further one beside whom it calls, and at the end if it calls nobody", () => {
    const shop = [users, products, orders];
    expect(arrange([...shop, { name: "badges", calls: ["users"] }])).to.deep.equal(["badges", ...arrange(shop)]);
    expect(arrange([...shop, { name: "stocktakes", calls: ["products"] }])).to.deep.equal([
      ...arrange(shop),
      "stocktakes",
    ]);
    expect(arrange([...shop, { name: "shipments", calls: [] }])).to.deep.equal([...arrange(shop), "shipments"]);
  });
});
