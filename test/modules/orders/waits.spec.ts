import { expect } from "chai";
import { createWaits } from "../../../src/modules/orders/waits.ts";

const HOUR_MS = 3_600_000;
const isDone = (seen: string) => seen === "done";

describe("Waiting for an order", () => {
  it("answers at once what is done already", async () => {
    expect(await createWaits({ maxWaits: 10 }).until("a", HOUR_MS, async () => "done", isDone)).to.equal("done");
  });

  it("looks again when woken, until it is done", async () => {
    const waits = createWaits({ maxWaits: 10 });
    const sights = ["pending", "pending", "done"];
    const seen = waits.until("a", HOUR_MS, async () => sights.shift() ?? "", isDone);
    while (sights.length > 0) {
      waits.wake("a");
      await new Promise(setImmediate);
    }
    expect(await seen).to.equal("done");
  });

  it("misses no change that comes while it looks", async () => {
    const waits = createWaits({ maxWaits: 10 });
    let state = "pending";
    const look = async () => {
      const seen = state;
      state = "done";
      waits.wake("a");
      await new Promise(setImmediate);
      return seen;
    };
    expect(await waits.until("a", HOUR_MS, look, isDone)).to.equal("done");
  });

  it("is not disturbed by what happens to others", async () => {
    const waits = createWaits({ maxWaits: 10 });
    let looks = 0;
    const seen = waits.until(
      "a",
      HOUR_MS,
      async () => `look ${++looks}`,
      () => false,
    );
    waits.wake("b");
    await new Promise(setImmediate);
    expect(looks).to.equal(1);
    waits.drain();
    expect(await seen).to.equal("look 2");
  });

  it("answers what there is when the time is over", async () => {
    expect(await createWaits({ maxWaits: 10 }).until("a", 5, async () => "pending", isDone)).to.equal("pending");
  });

  it("answers everyone what there is when drained, and nobody waits after that", async () => {
    const waits = createWaits({ maxWaits: 10 });
    const look = async () => "pending";
    const seen = ["a", "a", "b"].map((key) => waits.until(key, HOUR_MS, look, isDone));
    await new Promise(setImmediate);
    waits.drain();
    expect(await Promise.all(seen)).to.deep.equal(["pending", "pending", "pending"]);
    expect(await waits.until("a", HOUR_MS, look, isDone)).to.equal("pending");
  });

  it("lets no more than the bound wait, and others again once some are done", async () => {
    const waits = createWaits({ maxWaits: 2 });
    let state = "pending";
    const look = async () => state;
    const first = [waits.until("a", HOUR_MS, look, isDone), waits.until("b", HOUR_MS, look, isDone)];
    expect(await waits.until("a", HOUR_MS, look, isDone)).to.equal("pending");
    state = "done";
    waits.wake("a");
    waits.wake("b");
    await Promise.all(first);
    state = "pending";
    const later = waits.until("a", HOUR_MS, look, isDone);
    await new Promise(setImmediate);
    state = "done";
    waits.wake("a");
    expect(await later).to.equal("done");
  });

  it("leaves no timer behind, nor a place taken when a look fails", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const waits = createWaits({ maxWaits: 1 });
    await new Promise(setImmediate); // the timer of the test itself has started by then
    const before = timers();
    const failing = waits.until("a", HOUR_MS, () => Promise.reject(new Error("gone")), isDone);
    expect(await failing.catch(({ message }) => message)).to.equal("gone");
    const waiting = waits.until("a", HOUR_MS, async () => "pending", isDone);
    await new Promise(setImmediate);
    expect(timers()).to.equal(before + 1);
    waits.drain();
    await waiting;
    expect(timers()).to.equal(before);
  });
});
