import { expect } from "chai";
import { type Flow, readFlow, readFlows } from "../../console/src/model/flow.ts";
import { layOut } from "../../console/src/model/geometry.ts";
import { toMermaid } from "../../console/src/model/mermaid.ts";
import { formatSlowed, planPlayback } from "../../console/src/model/playback.ts";
import { readSpans, type Span } from "../../console/src/model/span.ts";
import { createStages, type Stages } from "../../console/src/store/stage.ts";
import { createTraces, type Traces } from "../../console/src/store/traces.ts";
import fourProcesses from "./recorded/four-processes.json" with { type: "json" };
import oneProcess from "./recorded/one-process.json" with { type: "json" };

const recorded = { "one process": oneProcess, "four processes": fourProcesses };

for (const [topology, traces] of Object.entries(recorded)) {
  describe(`console: the steps of real spans, ${topology}`, () => {
    const flowOf = (name: keyof typeof traces): Flow => flow(readSpans(traces[name]));

    it("tell a registration from the request to the answer", () => {
      const { steps, title, status, failed } = flowOf("registration");
      expect({ title, status, failed }).to.deep.equal({ title: "POST /users/register", status: "201", failed: false });
      expect(routes({ steps })).to.deep.equal([
        "client → gateway: POST /users/register",
        "gateway → users: POST /users/register",
        "users → users.db: SELECT users",
        "users → users.db: INSERT users, sessions; DELETE sessions",
        "users → users.db: SELECT signing_keys",
        "gateway → client: 201 Created",
      ]);
    });

    it("say how long a call waited at the gate of a module that moved", () => {
      const spans = readSpans(traces.order);
      const call = spans.find(({ kind, peer }) => kind === "call" && peer === "orders");
      if (call === undefined) throw new Error("no call of orders was recorded");
      const gate: Span = {
        ...call,
        kind: "gate",
        span_id: "g",
        parent_id: call.span_id,
        peer: null,
        duration_us: 84_000,
      };
      const { steps } = flow([...spans, gate]);
      expect(steps).to.have.lengthOf(flowOf("order").steps.length);
      const hows = steps.filter(({ how }) => how.includes("waited")).map(({ spanId, how }) => [spanId, how]);
      const how = topology === "one process" ? "direct call, same process" : "HTTP, other process";
      expect(hows).to.deep.equal([[call.span_id, `${how}, waited 84.0 ms at the gate`]]);
    });

    it("show an order's stock change after the answer, and what became of it", () => {
      const { steps, outcome, settled } = flowOf("order");
      expect({ outcome, settled }).to.deep.equal({ outcome: "confirmed", settled: true });
      const answer = steps.findIndex((step) => step.phase === "answer");
      const later = steps.slice(answer + 1);
      expect(later.map((step) => step.phase)).to.deep.equal(later.map(() => "afterwards"));
      expect(routes({ steps: later }).map((route) => route.split(":")[0])).to.deep.equal([
        "bus → products",
        "products → products.db",
        "products → bus",
        "bus → orders",
        "orders → orders.db",
      ]);
      expect(
        steps
          .slice(0, answer)
          .filter((step) => step.kind === "event")
          .map((step) => step.what),
      ).to.deep.equal(["order.created"]);
    });

    it("show the rejection of an order that came too late", () => {
      const { steps, outcome, status } = flowOf("rejected");
      expect({ outcome, status }).to.deep.equal({ outcome: "rejected", status: "201" });
      expect(routes({ steps })).to.include.members(["products → bus: stock.rejected", "bus → orders: stock.rejected"]);
    });

    it("show which call failed, and with what", () => {
      const { steps, failed } = flowOf("missing");
      expect(failed).to.equal(true);
      const wrong = steps.filter((step) => step.failed).map((step) => `${step.from} → ${step.to}: ${step.status}`);
      expect(wrong).to.deep.equal([
        "gateway → orders: product-not-found",
        "orders → products: not-found",
        "gateway → client: 422",
      ]);
    });

    it("show where it failed first, and not where that was only passed on", () => {
      const { steps, origin } = flowOf("missing");
      const first = steps.find(({ number }) => number === origin);
      expect(`${first?.from} → ${first?.to}`).to.equal("orders → products");
      expect(flowOf("order").origin).to.equal(undefined);
    });

    it("show an order that is refused because nothing is left as no failure", () => {
      const spans = readSpans(traces.missing).map((span) =>
        span.status === "product-not-found" ? { ...span, status: "insufficient-stock" } : span,
      );
      const refused = spans
        .filter(({ status }) => status !== "not-found")
        .map((span) => (span.kind === "request" ? { ...span, status: "409" } : span));
      const { steps, outcome, failed, origin } = flow(refused);
      expect({ outcome, failed, origin }).to.deep.equal({ outcome: "refused", failed: false, origin: undefined });
      expect(steps.filter((step) => step.failed)).to.deep.equal([]);
      expect(steps.filter((step) => step.refused).map(({ to, status }) => `${to} ${status}`)).to.deep.equal([
        "orders insufficient-stock",
        "client 409",
      ]);
    });

    it("are numbered from 1, each names a span of the trace, and none starts before the request", () => {
      for (const name of ["registration", "order", "rejected", "missing"] as const) {
        const ids = new Set(readSpans(traces[name]).map((span) => span.span_id));
        const { steps } = flowOf(name);
        expect(steps.map((step) => step.number)).to.deep.equal(steps.map((_, index) => index + 1));
        expect(steps.every((step) => ids.has(step.spanId) && step.startMs >= 0)).to.equal(true);
      }
    });

    it("each have an arrow on the diagram, wide and narrow", () => {
      for (const name of ["registration", "order", "rejected"] as const) {
        for (const narrow of [false, true]) {
          const { edges } = layOut(narrow);
          const drawn = new Set(edges.map(({ from, to }) => `${from} → ${to}`));
          for (const { from, to, phase } of flowOf(name).steps) {
            expect(drawn).to.include(phase === "answer" ? `${to} → ${from}` : `${from} → ${to}`);
          }
        }
      }
    });

    it("do not depend on the order in which spans arrive", () => {
      const spans = readSpans(traces.order);
      expect(flow(spans.toReversed())).to.deep.equal(flow(spans));
    });

    it("tell whether a call stayed in the process", () => {
      const calls = flowOf("order").steps.filter((step) => step.what.startsWith("GET "));
      const how = topology === "one process" ? "direct call, same process" : "HTTP, other process";
      const kind = topology === "one process" ? "direct" : "http";
      expect(calls.map((step) => step.how)).to.deep.equal([how, how]);
      expect(calls.map((step) => step.kind)).to.deep.equal([kind, kind]);
    });

    it("become a Mermaid sequence diagram", () => {
      const lines = toMermaid(flowOf("order"), {}).split("\n");
      expect(lines.slice(0, 3)).to.deep.equal(["sequenceDiagram", "  autonumber", "  participant client as Client"]);
      expect(lines.filter((line) => line.includes("->") || line.includes("-)"))).to.have.length(14);
      expect(lines.some((line) => /^ {2}bus-\)products: order\.created, /.test(line))).to.equal(true);
      expect(lines.some((line) => /^ {2}gateway-->>client: 201 Created, /.test(line))).to.equal(true);
    });

    it("name a database by what keeps it", () => {
      const told = toMermaid(flowOf("order"), { orders: "PostgreSQL", products: "SQLite" });
      expect(told).to.include("as schema orders\n").and.include("as products.db\n").and.not.include("as orders.db");
    });
  });
}

describe("console: the steps of incomplete spans", () => {
  const spans = readSpans(fourProcesses.order);

  it("are not settled before each event was applied and each call told by its callee", () => {
    for (const kind of ["apply", "serve", "request"]) {
      expect(flow(spans.filter((span) => span.kind !== kind)).settled, kind).to.equal(false);
    }
    expect(flow(spans).settled).to.equal(true);
  });

  it("are those that are there", () => {
    expect(readFlow([])).to.equal(undefined);
    const alone = spans.filter((span) => span.kind === "store" && span.service === "users");
    expect(routes(flow(alone))).to.deep.equal(["users → users.db: SELECT users"]);
  });

  it("leave out what is no span", () => {
    expect(readSpans([...spans, null, { kind: "request" }, { ...spans[0], kind: "other" }])).to.have.length(
      spans.length,
    );
    expect(readSpans("nonsense")).to.deep.equal([]);
  });
});

describe("console: several requests with one trace id", () => {
  const order = readSpans(fourProcesses.order);
  const others = [
    copy(readSpans(fourProcesses.rejected), "b", order[0]?.trace_id),
    copy(readSpans(fourProcesses.registration), "c", order[0]?.trace_id),
  ];
  const mixed = [order, ...others].flat().toSorted((a, b) => a.span_id.localeCompare(b.span_id));

  it("are a flow each, of the request and what it caused", () => {
    const alone = [order, ...others].map(flow).toSorted((a, b) => a.startedAtMs - b.startedAtMs);
    expect(readFlows(mixed)).to.deep.equal(alone);
    expect(readFlows(order)).to.deep.equal([flow(order)]);
    expect(readFlows([])).to.deep.equal([]);
  });

  it("are listed each, and each can be shown", () => {
    const { traces, stages } = memory();
    traces.add(mixed);
    const recent = traces.recent();
    expect(recent.map(({ title }) => title)).to.have.members([order, ...others].map((spans) => flow(spans).title));
    for (const each of recent) expect(stages.show(each).flow()).to.equal(each);
  });
});

describe("console: what is on show", () => {
  const later = (count: number): Span[] =>
    Array.from({ length: count }, (_, index) => copy([request], `later ${index}`, `trace ${index}`, 1 + index)).flat();
  const request = readSpans(fourProcesses.order).find((span) => span.kind === "request") as Span;
  const watched: Span = { ...request, name: "GET /products" };

  it("stays, however many other requests come", () => {
    const { traces, stages } = memory();
    traces.add([watched]);
    const stage = stages.show(flow([watched]));
    traces.add(later(300));
    expect(stage.flow()?.title).to.equal("GET /products");
    expect(stages.top().name).to.equal("other");
    expect(traces.recent()).to.have.length(200);
    stages.show(flow(later(300).slice(-1)));
    expect(stages.top().name).to.equal("order");
  });

  it("is the first tab's where the current one has nothing to show", () => {
    const { stages } = memory();
    stages.current.set("other");
    expect(stages.top().name).to.equal("order");
  });
});

describe("console: playback", () => {
  const order = flow(readSpans(fourProcesses.order));

  it("is slowed by the shown time divided by the real time, and speed divides that", () => {
    const { holdsMs, slowedBy } = planPlayback(order, 1);
    const shownMs = holdsMs.reduce((sum, hold) => sum + hold, 0);
    expect(holdsMs).to.have.length(order.steps.length);
    expect(slowedBy).to.be.closeTo(shownMs / order.totalMs, 1e-9);
    expect(planPlayback(order, 2).slowedBy).to.be.closeTo(slowedBy / 2, 1e-9);
  });

  it("holds no step too short to be seen, and none too long to be waited for", () => {
    for (const hold of planPlayback(order, 1).holdsMs) expect(hold).to.be.within(650, 2_200);
  });

  it("says how much slower with two digits", () => {
    expect([1.26, 9.94, 42.4, 187, 2_345].map(formatSlowed)).to.deep.equal([
      "slowed ×1.3",
      "slowed ×9.9",
      "slowed ×42",
      "slowed ×190",
      "slowed ×2300",
    ]);
  });
});

function memory(): { traces: Traces; stages: Stages } {
  const traces: Traces = createTraces((traceId) => stages.isShown(traceId));
  const stages = createStages(traces);
  return { traces, stages };
}

/** The same spans as others, in another trace, some microseconds later. */
function copy(spans: readonly Span[], mark: string, trace_id = mark, laterUs = 0): Span[] {
  const renamed = (id: string): string => `${mark} ${id}`;
  return spans.map((span) => ({
    ...span,
    trace_id,
    span_id: renamed(span.span_id),
    parent_id: span.parent_id && renamed(span.parent_id),
    start_us: span.start_us + laterUs,
  }));
}

function flow(spans: readonly Span[]): Flow {
  const found = readFlow(spans);
  if (found === undefined) throw new Error("these spans are no flow");
  return found;
}

function routes({ steps }: Pick<Flow, "steps">): string[] {
  return steps.map(({ from, to, what }) => `${from} → ${to}: ${what}`);
}
