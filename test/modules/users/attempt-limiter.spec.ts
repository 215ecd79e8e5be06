import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Problem } from "../../../src/base/problem.ts";
import { type AttemptLimiter, createAttemptLimiter } from "../../../src/modules/users/attempts/attempt-limiter.ts";
import { createFailureRows } from "../../../src/modules/users/attempts/failure-rows.ts";
import { openStore, type SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import { problemOf } from "./users-system.ts";

describe("attempt limiter", () => {
  let nowMs: number;
  let store: SqliteStore;
  let limiter: AttemptLimiter;

  /** Of another process, or of one that has been started anew. */
  const createOther = () => createAttemptLimiter({ rows: createFailureRows(store), freeFailures: 3, now: () => nowMs });

  beforeEach(() => {
    nowMs = Date.UTC(2026, 0, 1);
    const migrations = new URL("../../../src/modules/users/migrations/", import.meta.url);
    store = openStore({ name: "users", file: ":memory:", migrations });
    limiter = createOther();
  });
  afterEach(() => store.close());

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
    for (let i = 0; i < 50_000; i += 250) await Promise.all(Array.from({ length: 250 }, (_, n) => fail(`${i + n}`)));
    expect(count(store)).to.equal(50_000);
    expect(await succeed("first"), "forgotten").to.equal("in");
    await failTimes(2, "49999");
    await waitSeconds("49999");
  });

  it("counts the same in every process, and after a restart", async () => {
    await failTimes(2);
    const other = createOther();
    await other.attempt("ada", async () => undefined);
    expect(await waitSeconds()).to.equal(1);
    nowMs += 1_000;
    expect(await other.attempt("ada", async () => "in")).to.equal("in");
    await failTimes(2);
    expect(await succeed()).to.equal("in");
  });

  it("lets one in when the wait is over, in whatever process", async () => {
    await failTimes(3);
    nowMs += 1_000;
    const [limiters, checked] = [[limiter, createOther(), createOther()], [] as number[]];
    const guesses = limiters.map((each, n) => each.attempt("ada", async () => void checked.push(n)));
    const settled = await Promise.allSettled(guesses);
    expect(checked).to.have.length(1);
    expect(settled.filter(({ status }) => status === "rejected")).to.have.length(2);
  });

  it("keeps nothing of failures that are forgotten, or that a clock which was ahead has written", async () => {
    for (const stepMs of [15 * 60_000, -86_400_000]) {
      await failTimes(3);
      nowMs += stepMs;
      expect(await succeed()).to.equal("in");
      await fail("eve");
      expect(count(store)).to.equal(1);
      await succeed("eve");
    }
  });

  it("writes nothing for a success, unless there is something to forget", async () => {
    await succeed();
    await Promise.all([succeed(), succeed("eve")]);
    expect(store.stats().commitSizes.sum).to.equal(0);
    await fail();
    await succeed();
    expect([store.stats().commitSizes.sum, count(store)]).to.deep.equal([2, 0]);
  });
});

function count(store: SqliteStore): number | undefined {
  return store.prepare<[], { n: number }>("SELECT count(*) AS n FROM failed_attempts").get()?.n;
}
