import { expect } from "chai";
import { skipWithoutShim } from "../../support/disk/shim.ts";
import { extent } from "../../support/extent.ts";
import { simulate } from "./simulation.ts";

/** `DISK_SEEDS=100` tries more of them. */
const SEEDS = Number(process.env.DISK_SEEDS ?? extent("more seeds of the simulated power cuts", 6, 1));

describe("a store of which the power is cut after every step", function () {
  this.timeout(0);

  beforeEach(function () {
    skipWithoutShim(this);
  });

  it(`has all that anybody was told of: ${SEEDS} seeds`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await simulate(seed);
  });

  it("has not, if it tells of a group before its sync", async () => {
    const failure = await simulate(1, false).catch((error: Error) => error.message);
    expect(failure).to.match(/^lost: seed 1/);
  });
});
