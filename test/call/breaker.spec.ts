import { expect } from "chai";
import { BrokenCircuitError } from "cockatiel";
import { type Breaker, createBreaker } from "../../src/call/breaker.ts";

const DAY_MS = 86_400_000;
const { now } = Date;

describe("a breaker", () => {
  let monotonicMs: number;
  let breaker: Breaker;

  beforeEach(() => {
    monotonicMs = 0;
    breaker = createBreaker(() => monotonicMs);
  });
  afterEach(() => {
    Date.now = now;
  });

  const fail = () => breaker.execute(() => Promise.reject(new Error("away"))).catch((error: Error) => error);
  const call = () => breaker.execute(async () => "done").catch((error: Error) => error);

  async function open(): Promise<void> {
    for (let n = 0; n < 5; n++) expect(await fail()).to.have.property("message", "away");
    expect(breaker.state()).to.equal("open");
  }

  it("lets nothing through for a second after five failures in a row, then one call, which closes it", async () => {
    for (let n = 0; n < 4; n++) await fail();
    expect(await call()).to.equal("done");
    await open();
    monotonicMs = 999;
    expect(await call()).to.be.instanceOf(BrokenCircuitError);
    monotonicMs = 1_000;
    expect(await call()).to.equal("done");
    expect(breaker.state()).to.equal("closed");
  });

  it("lets nothing through for another second when that one call fails", async () => {
    await open();
    monotonicMs = 1_000;
    expect(await fail()).to.have.property("message", "away");
    monotonicMs = 1_999;
    expect(await call()).to.be.instanceOf(BrokenCircuitError);
    monotonicMs = 2_000;
    expect(await call()).to.equal("done");
  });

  for (const [where, stepMs] of [
    ["back", -DAY_MS],
    ["ahead", DAY_MS],
  ] as const) {
    it(`stays open for as long when the clock is set ${where} by a day`, async () => {
      await open();
      Date.now = () => now() + stepMs;
      monotonicMs = 999;
      expect(await call()).to.be.instanceOf(BrokenCircuitError);
      monotonicMs = 1_000;
      expect(await call()).to.equal("done");
    });
  }
});
