import { expect } from "chai";
import { missingForRehearsal, rehearse } from "./enter.ts";

describe("a rollout as the files of Kubernetes have it, rehearsed with two of each on PostgreSQL", function () {
  this.timeout(600_000);

  before(function () {
    if (missingForRehearsal() !== undefined) this.skip();
  });

  it("takes all eight from the commit before to this one, and fails no request", async () => {
    // The word of who comes and goes gets around at once, and preStop is the shorter for it.
    const args = ["--steps", "upgrade", "--rate", "20", "--lag", "0", "--patient"];
    const { status, told } = await rehearse(args, { quiet: true });
    expect(status, told).to.equal(0);
    expect(told.match(/^.* is ready after /gm), told).to.have.length(16);
    expect(told.match(/^.* has ended after /gm), told).to.have.length(8);
    expect(told).to.match(
      /^(upgrade|expand) at 20 requests a second: \d{2,} requests, 0 failed, .*: stock and orders add up$/m,
    );
  });
});
