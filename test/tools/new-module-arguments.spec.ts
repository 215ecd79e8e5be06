import { expect } from "chai";
import { readNewModule } from "../../tools/new-module-arguments.ts";

describe("new:module", () => {
  it("takes a plural and knows what one is called", () => {
    for (const [name, one] of [
      ["shipments", "shipment"],
      ["deliveries", "delivery"],
      ["addresses", "address"],
      ["warehouses", "warehouse"],
      ["postage", "postageEntry"],
    ] as const) {
      expect(readNewModule([name])).to.deep.equal({ name, one, calls: [], hears: [] });
    }
  });

  it("hears the first event of a publisher, and has an example of it", () => {
    const { calls, hears } = readNewModule([
      "shipments",
      "--hears",
      "orders,products",
      "--calls=users",
      "--calls=users",
    ]);
    expect(calls).to.deep.equal(["users"]);
    expect(hears.map(({ publisher, type }) => `${publisher} ${type}`)).to.deep.equal([
      "orders order.created",
      "products stock.reserved",
    ]);
    expect(hears[0]?.example).to.include({ source: "/orders", type: "order.created" });
  });

  for (const [what, args, told] of [
    ["no name", [], /^npm run new:module NAME/],
    ["two names", ["shipments", "returns"], /^npm run new:module NAME/],
    ["a flag that is none", ["shipments", "--heard=orders"], /^npm run new:module NAME/],
    ["a name that is no word of small letters", ["Ship-ments"], /^Ship-ments: expected a word of small letters/],
    ["a name that has no room", ["notifications"], /^notifications: expected 12 letters or fewer/],
    ["a module that is there", ["orders"], /^orders is there already/],
    ["what is something else already", ["gateway"], /^gateway: gateway means something else already/],
    ["what would be mixed up with it", ["pages"], /^pages: page means something else already/],
    ["one of what another has", ["order"], /^order: order means something else already/],
    ["a path of the gateway", ["docs"], /^docs: docs means something else already/],
    ["a word of SQL", ["groups"], /^groups: expected a word that is none of SQL's/],
    ["a word of JavaScript", ["classes"], /^classes: expected a word that is none of SQL's or JavaScript's/],
    ["hearing nobody that there is", ["shipments", "--hears=order"], /^order: there is no such module/],
    ["calling nobody that there is", ["shipments", "--calls=user,orders"], /^user: there is no such module/],
    ["hearing who says nothing", ["shipments", "--hears=users"], /^users publishes no event/],
  ] as const) {
    it(`refuses ${what}, and says why`, () => {
      expect(() => readNewModule(args)).to.throw(told);
    });
  }
});
