import { expect } from "chai";
import { wallClockMs } from "../../src/base/wall-clock.ts";

const HOUR_MS = 3_600_000;
const { now } = Date;

describe("the wall clock", () => {
  afterEach(() => {
    Date.now = now;
  });

  /** That it tells the system's time, and parts of a millisecond. */
  function expectRight(): void {
    const leastMs = Date.now();
    const toldMs = wallClockMs();
    expect(toldMs).to.be.within(leastMs - 0.01, Date.now() + 1.01); // a number of this size has no more digits
  }

  /** As long as a process that shares its core may have to stand still. */
  function standStill(): void {
    for (const endMs = performance.now() + 4; performance.now() < endMs; );
  }

  it("goes on as it was after it was held up before or after it looked at the system's", () => {
    expectRight();
    Date.now = () => {
      standStill();
      return now();
    };
    wallClockMs();
    Date.now = now;
    expectRight();
    Date.now = () => {
      const seenMs = now();
      standStill();
      return seenMs;
    };
    wallClockMs();
    Date.now = now;
    expectRight();
  });

  it("follows the system's when that is set", () => {
    for (const stepMs of [HOUR_MS, -HOUR_MS, 0]) {
      Date.now = () => now() + stepMs;
      expectRight();
    }
  });
});
