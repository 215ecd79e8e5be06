import { expect } from "chai";
import { addPulses, describePulses, type Pulse, readPulse, waitingOf } from "../../console/src/model/pulse.ts";
import { areaPath, bandPath, barsPath, linePath, roundUp } from "../../console/src/model/strip.ts";
import { createGates } from "../../console/src/store/gates.ts";
import { until } from "../support/process.ts";

const quiet = { answered: 0, failed: 0, p50Ms: null, p99Ms: null, backlog: {}, placement: {}, down: [], held: 0 };
const pulse = (second: number, more: Partial<Pulse> = {}): Pulse => ({ ...quiet, atMs: second * 1_000, ...more });

describe("console: the last minute", () => {
  it("reads a pulse, and nothing else", () => {
    const told = { at: "2026-01-01T00:00:00.000Z", answered: 3, failed: 1, p50_ms: 1.5, p99_ms: null };
    expect(
      readPulse({ ...told, backlog: { products: 2 }, placement: { orders: "here" }, down: ["users"] }, 4),
    ).to.deep.equal({
      atMs: Date.UTC(2026, 0),
      answered: 3,
      failed: 1,
      p50Ms: 1.5,
      p99Ms: null,
      backlog: { products: 2 },
      placement: { orders: "here" },
      down: ["users"],
      held: 4,
    });
    for (const other of [null, {}, { at: "soon" }, { at: 7 }]) expect(readPulse(other, 0)).to.equal(undefined);
  });

  it("keeps a minute, each second once and in its order, whichever stream told it", () => {
    const first = addPulses([], [pulse(1), pulse(3)]);
    const all = addPulses(first, [pulse(2), pulse(3, { answered: 9 }), pulse(61)]);
    expect(all.map(({ atMs }) => atMs / 1_000)).to.deep.equal([2, 3, 61]);
    expect(all[1]?.answered).to.equal(0);
  });

  it("draws a bar where something was, up or down", () => {
    const pulses = [pulse(1, { answered: 1 }), pulse(2), pulse(3, { failed: 1 })];
    expect(barsPath(pulses, 0.5, ({ answered }) => answered / 2)).to.equal("M57.08 0.5v-0.5h0.84V0.5z");
    expect(barsPath(pulses, 0.5, ({ failed }) => -failed / 2)).to.equal("M59.08 0.5v0.5h0.84V0.5z");
  });

  it("leaves a hole where nothing was told, and where there is no value", () => {
    const pulses = [1, 2, 5, 6, 7].map((second) => pulse(second, second === 6 ? {} : { p50Ms: 1 }));
    expect(linePath(pulses, ({ p50Ms }) => p50Ms)).to.equal("M53.5 0L54.5 0M57.5 0h0.4M59.5 0h0.4");
    expect(areaPath(pulses.slice(0, 3), () => 0)).to.equal("M55.5 1L55.5 1L56.5 1L56.5 1zM59.5 1L59.5 1L59.5 1z");
    expect(bandPath(pulses, ({ p50Ms }) => p50Ms !== null)).to.equal("M53 0H55V1H53zM57 0H58V1H57zM59 0H60V1H59z");
  });

  it("rounds scales up to what a person reads", () => {
    expect([0, 5, 6, 11, 20, 21, 99, 101].map((value) => roundUp(value, 5))).to.deep.equal([
      5, 5, 10, 20, 20, 50, 100, 200,
    ]);
  });

  it("speaks of what lasts only", () => {
    const waits = { backlog: { products: 2, orders: 0 }, down: ["products"], held: 1 };
    expect(describePulses([])).to.equal("");
    expect(describePulses([pulse(1), pulse(2, waits), pulse(3, waits)])).to.equal("No request fails.");
    expect(describePulses([pulse(1, waits), pulse(2, waits), pulse(3, { ...waits, failed: 1 })])).to.equal(
      "Requests fail. products does not answer. Events wait for products. Orders wait in this page.",
    );
    expect(waitingOf(pulse(1, waits))).to.equal(3);
  });
});

describe("console: the gates of modules that move", () => {
  const told = { module: "orders", closed: true, waiting: 0, waited: 0, closed_ms: 0 };

  it("are one for all processes of a move, and another for the next", async () => {
    const { shown, take } = createGates(1_000);
    take({ ...told, process: "a", waiting: 2, waited: 2 });
    take({ ...told, process: "b", waiting: 1, waited: 1 });
    expect(shown.get()).to.deep.equal([{ module: "orders", closed: true, waiting: 3, waited: 3, closedMs: 0 }]);
    take({ ...told, process: "b", closed: false, waited: 1, closed_ms: 40 });
    expect(shown.get()[0]?.closed).to.equal(true);
    take({ ...told, process: "a", closed: false, waited: 2, closed_ms: 90 });
    expect(shown.get()).to.deep.equal([{ module: "orders", closed: false, waiting: 0, waited: 3, closedMs: 90 }]);
    take({ closed: true });
    expect(shown.get()).to.have.lengthOf(1);
  });

  it("are forgotten when they have been open for a while, or nobody tells of them any more", async () => {
    const { shown, take } = createGates(20);
    take({ ...told, process: "a" });
    await until("it is forgotten", () => shown.get().length === 0);
  });
});
