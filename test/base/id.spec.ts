import { expect } from "chai";
import { MAX, validate, version } from "uuid";
import { createIdSource, newId } from "../../src/base/id.ts";

describe("new ids", () => {
  it("are UUIDs of version 7 that tell when they were made", () => {
    const before = Date.now();
    const id = newId();
    expect(validate(id)).to.equal(true);
    expect(version(id)).to.equal(7);
    expect(madeAt(id)).to.be.within(before, Date.now());
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

  it("are greater than a store's greatest, made by a clock that was a year ahead, and each greater than the one before", () => {
    const nowMs = Date.now();
    const ahead = createIdSource(() => nowMs + 31_536_000_000);
    for (let i = 0; i < 1_000; i++) ahead.next();
    const greatest = ahead.next();
    const source = createIdSource(() => nowMs);
    source.next();
    source.goOnAfter(greatest);
    const ids = Array.from({ length: 10_000 }, source.next);
    expect([greatest, ...ids]).to.deep.equal([greatest, ...ids].toSorted());
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids.every((id) => validate(id) && version(id) === 7)).to.equal(true);
  });

  it("tell the time again once the clock has come to where the greatest was made", () => {
    let nowMs = 1_000_000;
    const source = createIdSource(() => nowMs);
    const greatest = createIdSource(() => 2_000_000).next();
    source.goOnAfter(greatest);
    nowMs = 3_000_000;
    expect(madeAt(source.next())).to.equal(3_000_000);
  });

  it("take no notice of a greatest that is lower, not there or no id of ours", () => {
    const nowMs = 2_000_000;
    const source = createIdSource(() => nowMs);
    source.next();
    const others = [createIdSource(() => 1_000_000).next(), null, undefined, "pen", MAX];
    for (const other of others) source.goOnAfter(other);
    expect(madeAt(source.next())).to.equal(nowMs);
  });

  it("end in random bits, whatever the count, so that none can be guessed from another", () => {
    const ends = Array.from({ length: 10_000 }, () => newId().slice(-11));
    expect(new Set(ends).size).to.equal(ends.length);
  });
});

/** In milliseconds since 1970. */
function madeAt(id: string): number {
  return Number.parseInt(id.slice(0, 13).replace("-", ""), 16);
}
