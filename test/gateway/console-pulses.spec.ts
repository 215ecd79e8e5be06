import { expect } from "chai";
import { createPulses, type Look, type Pulse } from "../../src/gateway/console/pulses.ts";
import type { AnsweredRequest } from "../../src/http/request-stats.ts";
import { until } from "../support/process.ts";

const answered = (status: number, durationMs = 1, more: Partial<AnsweredRequest> = {}): AnsweredRequest => ({
  method: "GET",
  route: "/products",
  path: "/products",
  status,
  problem: undefined,
  durationMs,
  cutOff: false,
  requestId: "r",
  traceId: "t",
  ...more,
});

describe("the pulse of the shop", () => {
  const closing: (() => void)[] = [];
  let seen: Look;
  let told: Pulse[];

  beforeEach(() => {
    seen = {
      events: { published: { orders: 5 }, applied: { products: { orders: 5 } } },
      placement: { orders: "here" },
      down: [],
    };
    told = [];
  });
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  function start(everyMs = 5) {
    const pulses = createPulses({
      look: async () => seen,
      isOfShop: (route) => route === "/products",
      onPulse: (pulse) => told.push(pulse),
      everyMs,
    });
    closing.push(pulses.close);
    return pulses;
  }

  it("counts a refusal as an answer, and what fails or is cut off as failed", async () => {
    const pulses = start(200);
    pulses.count(answered(200, 999));
    pulses.watch();
    for (const status of [201, 404, 429]) pulses.count(answered(status));
    for (const status of [500, 503]) pulses.count(answered(status));
    pulses.count(answered(200, 1, { cutOff: true }));
    pulses.count(answered(200, 1, { route: "/status" }));
    await until("there is a pulse", () => told.length > 0);
    expect(told[0]).to.include({ answered: 3, failed: 3, p50_ms: 1, p99_ms: 1 });
    await until("there is another", () => told.length > 1);
    expect(told[1]).to.include({ answered: 0, failed: 0, p50_ms: null, p99_ms: null });
  });

  it("tells what half and what nearly all did not exceed", async () => {
    const pulses = start(200);
    pulses.watch();
    for (let ms = 200; ms >= 1; ms -= 1) pulses.count(answered(200, ms));
    await until("there is a pulse", () => told.length > 0);
    expect(told[0]).to.include({ answered: 200, p50_ms: 100, p99_ms: 198 });
  });

  it("counts what waits for a module that is gone from where it was", async () => {
    start().watch();
    await until("it has looked", () => told.at(-1)?.backlog.products === 0);
    seen = { ...seen, events: { published: { orders: 12 }, applied: {} }, down: ["products"] };
    await until("the events wait", () => told.at(-1)?.backlog.products === 7);
    expect(told.at(-1)?.down).to.deep.equal(["products"]);
    seen = { ...seen, down: [], events: { published: { orders: 12 }, applied: { products: { orders: 12 } } } };
    await until("they are applied", () => told.at(-1)?.backlog.products === 0);
    expect(told.at(-1)?.placement).to.deep.equal({ orders: "here" });
  });

  it("goes on for a minute after the last watcher has left, then stops, and begins anew", async () => {
    const pulses = start(1);
    const leave = pulses.watch();
    await until("it has begun", () => told.length > 0);
    leave();
    const left = told.length;
    // Nothing is awaited here but the end: a pulse that comes late is one of the sixty.
    await until("it has gone on for as long as it should", () => told.length >= left + 60);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told.length).to.be.within(left + 60, left + 61);
    expect(pulses.recent().map(({ at }) => at)).to.deep.equal(told.slice(-60).map(({ at }) => at));
    pulses.watch();
    expect(pulses.recent()).to.deep.equal([]);
  });
});
