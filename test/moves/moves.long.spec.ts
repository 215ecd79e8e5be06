import { expect } from "chai";
import { proveClean } from "./clean.ts";
import { HARMS, proveKilled } from "./killed.ts";

/** A short leg of `npm run moves`, which takes its time and looks at it too. */
describe("modules that move between real processes", function () {
  this.timeout(120_000);
  const tell = () => {};

  it("fail no request of those who order, read a long list, look at the console, or wait by the hundred", async () => {
    const { wrong, moves } = await proveClean({ seed: 5, moves: 3, rate: 50, waits: 200, isPatient: true, tell });
    expect(wrong).to.deep.equal([]);
    expect(moves).to.be.at.least(3);
  });

  it("lose nothing, double nothing and have one owner where Redis is killed meanwhile, and then both processes", async () => {
    const { wrong, told } = await proveKilled({ seed: 5, moves: 2, harms: HARMS, isPatient: true, tell });
    expect(wrong, told).to.deep.equal([]);
    expect(told).to.contain("redis killed").and.contain("both killed").and.not.contain("not reached");
  });
});
