import { expect } from "chai";
import { timestampOf } from "../../src/base/timestamp.ts";

describe("timestamps", () => {
  it("tell each time as RFC 3339 has it, in UTC, whichever was told before", () => {
    const second = Date.UTC(2026, 0, 31, 9, 30);
    expect(timestampOf(second)).to.equal("2026-01-31T09:30:00.000Z");
    expect(timestampOf(second)).to.equal("2026-01-31T09:30:00.000Z");
    expect(timestampOf(second + 1)).to.equal("2026-01-31T09:30:00.001Z");
    expect(timestampOf(second)).to.equal("2026-01-31T09:30:00.000Z");
  });

  it("are of no time that is none, and of the one before afterwards", () => {
    expect(timestampOf(0)).to.equal("1970-01-01T00:00:00.000Z");
    expect(() => timestampOf(Number.NaN)).to.throw(RangeError);
    expect(() => timestampOf(8.64e15 + 1)).to.throw(RangeError);
    expect(timestampOf(0)).to.equal("1970-01-01T00:00:00.000Z");
  });
});
