import { expect } from "chai";
import { createSettledClock } from "../../src/base/settled-clock.ts";

const START_MS = Date.UTC(2026, 0, 2);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;

describe("a settled clock", () => {
  let passedMs: number;
  let stepMs: number;
  let clock: () => number;

  beforeEach(() => {
    passedMs = 0;
    stepMs = 0;
    clock = createSettledClock(
      () => START_MS + passedMs + stepMs,
      () => passedMs,
    );
  });

  for (const [name, jumpMs] of Object.entries({ "a day": DAY_MS, "a year": YEAR_MS, "an hour back": -HOUR_MS })) {
    it(`takes no notice of a clock that jumps ${name} for a second`, () => {
      expect(clock()).to.equal(START_MS);
      stepMs = jumpMs;
      passedMs += 1_000;
      expect(clock()).to.equal(START_MS + 1_000);
      stepMs = 0;
      passedMs += DAY_MS;
      expect(clock()).to.equal(START_MS + 1_000 + DAY_MS);
    });

    it(`believes one that has stayed ${name} for an hour`, () => {
      stepMs = jumpMs;
      expect(clock()).to.equal(START_MS);
      passedMs += HOUR_MS - 1;
      expect(clock()).to.equal(START_MS + HOUR_MS - 1);
      passedMs += 1;
      expect(clock()).to.equal(START_MS + HOUR_MS + jumpMs);
    });
  }

  it("counts the hour from the last jump", () => {
    stepMs = DAY_MS;
    clock();
    passedMs += HOUR_MS - 1;
    stepMs = YEAR_MS;
    clock();
    passedMs += 1;
    expect(clock()).to.equal(START_MS + HOUR_MS);
  });

  it("follows a clock that runs a little faster", () => {
    for (let i = 0; i < 100; i++) {
      passedMs += 60_000;
      stepMs += 50;
      clock();
    }
    expect(clock()).to.equal(START_MS + passedMs + stepMs);
  });

  it("tells whole milliseconds, also while it goes on by a clock that counts parts of them", () => {
    const precise = createSettledClock(
      () => START_MS + Math.floor(passedMs) + stepMs,
      () => passedMs,
    );
    passedMs += 1_000.37;
    stepMs = YEAR_MS;
    expect(precise()).to.equal(START_MS + 1_000);
  });
});
