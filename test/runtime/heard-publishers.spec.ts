import { expect } from "chai";
import { StartRefusal } from "../../src/modules/module.ts";
import { requireHeardPublishers } from "../../src/runtime/heard-publishers.ts";

describe("what the list of modules says is heard", () => {
  const subscribedTo = (...publishers: string[]) => publishers.map((publisher) => ({ publisher }));

  it("is what the module subscribes to, in whatever order and however often", () => {
    requireHeardPublishers("orders", [], []);
    requireHeardPublishers("orders", ["products", "users"], subscribedTo("users", "products", "users"));
  });

  for (const [what, hears, publishers] of [
    ["a publisher is not listed", [], ["products"]],
    ["one is listed in vain", ["products", "users"], ["products"]],
    ["another one is listed", ["users"], ["products"]],
  ] as const) {
    it(`keeps the module from starting when ${what}, and says what to write`, () => {
      const start = () => requireHeardPublishers("orders", hears, subscribedTo(...publishers));
      expect(start).to.throw(StartRefusal, 'Make it hears: ["products"].');
    });
  }
});
