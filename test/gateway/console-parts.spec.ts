import { expect } from "chai";
import type { Context } from "koa";
import { Problem } from "../../src/base/problem.ts";
import type { KitProblem } from "../../src/base/problem-types.ts";
import { createConsoleAccess } from "../../src/gateway/console/access.ts";
import { createFleet } from "../../src/gateway/console/fleet.ts";
import { createSpanCollector } from "../../src/gateway/console/span-collector.ts";
import { createSpanRing } from "../../src/gateway/console/span-ring.ts";
import { createTraceSampler } from "../../src/gateway/console/trace-sampler.ts";
import { createWatchers } from "../../src/gateway/console/watchers.ts";
import type { Presence } from "../../src/telemetry/presence.ts";
import type { SpanRecord } from "../../src/telemetry/span-record.ts";
import { until } from "../support/process.ts";

function span(traceId: string, startUs = 0): SpanRecord {
  const who = { kind: "request", name: "GET /", service: "gateway", peer: null, process: "p:1" } as const;
  const when = { start_us: startUs, duration_us: 1, status: "200", attributes: {} };
  return { trace_id: traceId, span_id: `${traceId}-${startUs}`, parent_id: null, ...who, ...when };
}

describe("the ring of spans", () => {
  it("holds as many spans and traces as it may, the newest", () => {
    const ring = createSpanRing({ spans: 6, traces: 3 });
    for (const trace of ["a", "b", "c", "d"]) ring.add([span(trace, 1), span(trace, 2)]);
    expect(ring.traces(9).map(({ trace_id }) => trace_id)).to.deep.equal(["d", "c", "b"]);
    ring.add([span("e", 9)]);
    expect(ring.traces(9).map(({ trace_id }) => trace_id)).to.deep.equal(["e", "d", "c"]);
    expect(ring.total).to.equal(9);
  });

  it("is read on from any number, or from the oldest that is left", () => {
    const ring = createSpanRing({ spans: 2, traces: 9 });
    expect(ring.after(0)).to.equal(undefined);
    for (const trace of ["a", "b", "c"]) ring.add([span(trace)]);
    expect(ring.after(0)).to.include({ number: 2, before: 1 });
    expect(ring.after(2)).to.include({ number: 3, before: 2 });
    expect(ring.after(3)).to.equal(undefined);
  });

  it("tells traces newest first, and their spans by their start", () => {
    const ring = createSpanRing();
    ring.add([span("old", 5), span("new", 7)]);
    ring.add([span("old", 2)]);
    const [first, second] = ring.traces(2);
    expect(first?.trace_id).to.equal("new");
    expect(second?.spans.map(({ start_us }) => start_us)).to.deep.equal([2, 5]);
    expect(ring.traces(1)).to.have.lengthOf(1);
  });
});

describe("the account of lost spans", () => {
  const batch = (process: string, sent: number, dropped: number, count = 1) => ({
    process,
    sent,
    dropped,
    spans: Array.from({ length: count }, () => span("a")),
  });

  it("counts what a process dropped and what was lost on the way", () => {
    const collector = createSpanCollector(createSpanRing());
    collector.take(batch("p:1", 40, 7, 2));
    expect(collector.lost(), "before it was listened to").to.equal(0);
    collector.take(batch("p:1", 42, 7));
    expect(collector.lost(), "nothing is missing").to.equal(0);
    collector.take(batch("p:1", 53, 7));
    expect(collector.lost(), "ten never arrived").to.equal(10);
    collector.take(batch("p:1", 54, 12));
    expect(collector.lost(), "five were dropped").to.equal(15);
    collector.take(batch("p:2", 0, 0));
    expect(collector.lost(), "another process").to.equal(15);
  });

  it("ignores what is no batch", () => {
    const ring = createSpanRing();
    const collector = createSpanCollector(ring);
    for (const message of [null, 1, "x", {}, { process: "p", sent: 0, dropped: 0, spans: [{}] }])
      collector.take(message);
    expect(ring.total).to.equal(0);
  });
});

describe("the fleet", () => {
  const answer = (process: string, services: string[]): Presence => ({ process, services });

  it("knows who serves what", () => {
    const fleet = createFleet(() => 0);
    expect(fleet.take(answer("p:1", ["orders"]))).to.equal(true);
    expect(fleet.take(answer("p:2", ["products"]))).to.equal(true);
    expect(fleet.processes()).to.deep.equal({ orders: "p:1", products: "p:2" });
    expect(fleet.take(answer("p:1", ["orders"]))).to.equal(false);
  });

  it("knows what keeps the data of those that say so", () => {
    const fleet = createFleet(() => 0);
    fleet.take({ ...answer("p:1", ["gateway"]), engines: {} });
    fleet.take({ ...answer("p:2", ["orders"]), engines: { orders: "PostgreSQL" } });
    fleet.take(answer("p:3", ["products"]));
    expect(fleet.engines()).to.deep.equal({ orders: "PostgreSQL" });
  });

  it("goes on with the one of several replicas that was there first", () => {
    let nowMs = 0;
    const fleet = createFleet(() => nowMs);
    const call = () => ["p:1", "p:2"].map((process) => fleet.take(answer(process, ["orders"])));
    expect(call()).to.deep.equal([true, false]);
    nowMs = 2_000;
    expect(call()).to.deep.equal([false, false]);
    expect(fleet.processes()).to.deep.equal({ orders: "p:1" });
    nowMs = 7_000;
    expect(fleet.take(answer("p:2", ["orders"]))).to.equal(false);
    expect(fleet.processes()).to.deep.equal({ orders: "p:2" });
  });

  it("believes the newest answer, and forgets who no longer answers", () => {
    let nowMs = 0;
    const fleet = createFleet(() => nowMs);
    fleet.take(answer("p:1", ["orders"]));
    nowMs = 5_000;
    fleet.take(answer("p:2", ["orders"]));
    expect(fleet.processes()).to.deep.equal({ orders: "p:2" });
    nowMs = 15_001;
    expect(fleet.processes()).to.deep.equal({});
  });
});

describe("the sampler", () => {
  const asking = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1, isRemote: true };
  const anyone = { ...asking, traceFlags: 0 };
  let nowMs: number;

  beforeEach(() => {
    nowMs = 1_000;
  });

  /** A request that has come in, and whether it is traced. */
  async function isTraced(sampler: ReturnType<typeof createTraceSampler>, trace: object): Promise<boolean> {
    const koa = { state: { trace }, method: "GET" } as unknown as Context;
    await sampler.disregardFlag(koa, async () => {});
    expect(koa.state.trace.traceFlags, "the flag of a stranger").to.equal(0);
    const span = sampler.beginRequest(koa, "/products");
    span?.end("200");
    return span !== undefined;
  }

  it("traces while somebody watches and a minute longer", async () => {
    const sampler = createTraceSampler(false, () => nowMs);
    expect(await isTraced(sampler, asking)).to.equal(false);
    const leave = sampler.watch();
    expect(await isTraced(sampler, anyone)).to.equal(true);
    leave();
    nowMs += 59_999;
    expect(await isTraced(sampler, anyone)).to.equal(true);
    nowMs += 1;
    expect(await isTraced(sampler, anyone)).to.equal(false);
    expect(await isTraced(sampler, asking)).to.equal(false);
  });

  it("traces fifty requests a second, and those that ask for it", async () => {
    const sampler = createTraceSampler(false, () => nowMs);
    sampler.watch();
    const traced: boolean[] = [];
    for (let request = 0; request < 80; request++) traced.push(await isTraced(sampler, anyone));
    expect(traced.filter(Boolean)).to.have.lengthOf(50);
    expect(await isTraced(sampler, asking)).to.equal(true);
    nowMs += 1_000;
    expect(await isTraced(sampler, anyone)).to.equal(true);
  });
});

describe("those who watch", () => {
  const refusal = (code: KitProblem) => () => Promise.reject(new Problem(code, "Refused."));

  it("may stay as long as their token lets them, and while it cannot be checked", async () => {
    const admin = createConsoleAccess(() => ({ id: "a", role: "admin" }), false);
    const customer = createConsoleAccess(() => ({ id: "c", role: "customer" }), false);
    expect(await admin.isStillGood("t")).to.equal(true);
    expect(await customer.isStillGood("t")).to.equal(false);
    expect(await createConsoleAccess(refusal("invalid-token"), false).isStillGood("t")).to.equal(false);
    expect(await createConsoleAccess(refusal("dependency-unavailable"), false).isStillGood("t")).to.equal(true);
  });

  it("are told how things are, and sent away when they may not stay", async () => {
    const watchers = createWatchers({ readStatus: async () => ({ fine: true }), askAround() {}, beatEveryMs: 5 });
    const watch = (mayStay: () => boolean) => {
      const told: unknown[] = [];
      const seen = { told, beats: 0, ended: false };
      const send = (event: string, data: unknown) => told.push([event, data]);
      const beat = () => {
        seen.beats += 1;
      };
      const end = () => {
        seen.ended = true;
        leave();
      };
      const leave = watchers.add({ pump() {}, send, beat, end }, async () => mayStay());
      return seen;
    };
    let expired = false;
    const [stays, goes] = [watch(() => true), watch(() => !expired)];
    await until("the heart has beaten", () => stays.beats > 1 && goes.beats > 1);
    expect([stays.ended, goes.ended]).to.deep.equal([false, false]);
    expect(stays.told).to.deep.include(["status", { fine: true }]);
    expired = true;
    await until("one has gone", () => goes.ended);
    expect(stays.ended).to.equal(false);
    watchers.close();
    expect(stays.ended).to.equal(true);
  });
});
