import { expect } from "chai";
import { validate, version } from "uuid";
import { newId } from "../../src/contract/new-id.ts";

describe("new ids", () => {
  it("are UUIDs of version 7 that tell when they were made", () => {
    const before = Date.now();
    const id = newId();
    expect(validate(id)).to.equal(true);
    expect(version(id)).to.equal(7);
    expect(Number.parseInt(id.slice(0, 13).replace("-", ""), 16)).to.be.within(before, Date.now());
  });

  it("are in the order in which they were made, many in a millisecond, all different", () => {
    const ids = Array.from({ length: 100_000 }, newId);
    expect(ids).to.deep.equal(ids.toSorted());
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("go on in order when the clock is set back", () => {
    const now = Date.now;
    const before = newId();
    try {
      Date.now = () => now() - 3_600_000;
      expect(newId() > before).to.equal(true);
    } finally {
      Date.now = now;
    }
  });

  it("end in random bits, whatever the count, so that none can be guessed from another", () => {
    const ends = Array.from({ length: 10_000 }, () => newId().slice(-11));
    expect(new Set(ends).size).to.equal(ends.length);
  });
});
