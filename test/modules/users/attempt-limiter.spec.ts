import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Problem } from "../../../src/base/problem.ts";
import { type AttemptLimiter, createAttemptLimiter } from "../../../src/modules/users/attempt-limiter.ts";
import "../../../src/modules/users/contract.ts";
import { problemOf } from "./users-system.ts";

describe("attempt limiter", () => {
  let nowMs: number;
  let limiter: AttemptLimiter;

  beforeEach(() => {
    nowMs = 1_000_000;
    limiter = createAttemptLimiter({ freeFailures: 3, monotonicMs: () => nowMs });
  });

  const fail = (lane = "ada") => limiter.attempt(lane, async () => undefined);
  const succeed = (lane = "ada") => limiter.attempt(lane, async () => "in");
  async function waitSeconds(lane = "ada"): Promise<number | undefined> {
    const problem = await problemOf(limiter.attempt(lane, () => expect.fail("was let in")));
    expect(problem).to.include({ code: "too-many-attempts", status: 429 });
    return problem.options.retryAfterSeconds;
  }
  async function failTimes(times: number, lane = "ada"): Promise<void> {
    for (let i = 0; i < times; i++) await fail(lane);
  }

  it("lets some failures pass, then checks nothing until the wait is over", async () => {
    await failTimes(3);
    expect(await waitSeconds()).to.equal(1);
    nowMs += 999;
    expect(await waitSeconds()).to.equal(1);
    nowMs += 1;
    expect(await succeed()).to.equal("in");
  });

  it("doubles the wait with each failure, up to a minute and never to a lock", async () => {
    await failTimes(3);
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 9; i++) {
      const wait = await waitSeconds();
      waits.push(wait);
      nowMs += (wait ?? 0) * 1_000;
      await fail();
    }
    expect(waits).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("lets one in when the wait is over, however many come at once", async () => {
    await failTimes(3);
    nowMs += 1_000;
    const settled = await Promise.allSettled([fail(), fail(), fail(), succeed()]);
    expect(settled.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "rejected", "rejected"]);
  });

  it("forgets the failures after a success", async () => {
    await failTimes(2);
    await succeed();
    await failTimes(2);
    expect(await succeed()).to.equal("in");
  });

  it("forgets them when none has followed for a quarter of an hour", async () => {
    await failTimes(3);
    nowMs += 15 * 60_000;
    await failTimes(2);
    expect(await succeed()).to.equal("in");
  });

  it("keeps lanes apart", async () => {
    await failTimes(3, "ada");
    expect(await succeed("eve")).to.equal("in");
    await waitSeconds("ada");
  });

  it("checks no more of many wrong ones at once than of as many one after the other", async () => {
    let checked = 0;
    const guess = async () => {
      checked += 1;
      await sleep(1);
      return undefined;
    };
    const settled = await Promise.allSettled(Array.from({ length: 400 }, () => limiter.attempt("ada", guess)));
    expect(checked).to.equal(3);
    expect(settled.filter(({ status }) => status === "rejected")).to.have.length(397);
    expect(await waitSeconds()).to.equal(1);
  });

  it("lets in who is right among many that are checked at once, and forgets the wrong ones' failures", async () => {
    const slowly = (result: "in" | undefined) =>
      limiter.attempt("ada", async () => {
        await sleep(1);
        return result;
      });
    expect(await Promise.all([slowly(undefined), slowly(undefined), slowly("in"), slowly("in")])).to.deep.equal([
      ...[undefined, undefined],
      ...["in", "in"],
    ]);
  });

  it("does not slow down successes, however many come at once", async () => {
    await failTimes(2);
    expect(await Promise.all(Array.from({ length: 50 }, () => succeed()))).to.deep.equal(Array(50).fill("in"));
  });

  it("counts an attempt that could not be made as nothing, and lets the next one in at once", async () => {
    const overloaded = () => Promise.reject(new Problem("overloaded", "Too much."));
    for (let i = 0; i < 5; i++) await problemOf(limiter.attempt("ada", overloaded));
    await failTimes(3);
    nowMs += 1_000;
    expect(await problemOf(limiter.attempt("ada", overloaded))).to.include({ code: "overloaded" });
    expect(await succeed()).to.equal("in");
  });

  it("remembers a bounded number of lanes; the one that failed last longest", async () => {
    await failTimes(3, "first");
    for (let i = 0; i < 50_000; i++) await fail(`${i}`);
    expect(await succeed("first"), "forgotten").to.equal("in");
    await failTimes(2, "49999");
    await waitSeconds("49999");
  });
});
