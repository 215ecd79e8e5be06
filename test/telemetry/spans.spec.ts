import { expect } from "chai";
import { pino } from "pino";
import { Problem } from "../../src/base/problem.ts";
import { beginSpan, isSampled, type Span } from "../../src/base/span.ts";
import { formatTraceparent, traceOf } from "../../src/base/trace.ts";
import { traceApplied } from "../../src/bus/follow/trace-applied.ts";
import { createMemoryBus } from "../../src/bus/memory/bus.ts";
import { createGate } from "../../src/call/gate.ts";
import type { Callable } from "../../src/contract/contract.ts";
import type { CloudEvent } from "../../src/contract/event.ts";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { sql } from "../../src/store/sql.ts";
import type { Unit, Work } from "../../src/store/unit.ts";
import { GateTeller, type GateTold, gateTold } from "../../src/telemetry/gates.ts";
import { PRESENCE_TOPIC, ROLL_CALL_TOPIC } from "../../src/telemetry/presence.ts";
import { SPANS_TOPIC, type SpanBatch, type SpanRecord } from "../../src/telemetry/span-record.ts";
import { startTelemetry } from "../../src/telemetry/tracing.ts";
import { addNote, noteAdded, temporaryStore } from "../store/temporary-store.ts";
import { notes } from "../support/clients.ts";
import { until } from "../support/process.ts";

const bus = createMemoryBus({ logger: pino({ level: "silent" }) });
const untraced = { principal: null, token: null, requestId: "-", trace: traceOf(undefined) };
let stop: () => void;
let batches: SpanBatch[];

/** The span of a request that is served; `finished` ends it and resolves what was told of its trace. */
function served(): { span: Span; finished(): Promise<SpanRecord[]> } {
  const span = beginSpan(undefined, { kind: "serve", name: "notes.test", service: "notes" });
  const { traceId } = span.context;
  const told = () => batches.flatMap(({ spans }) => spans).filter(({ trace_id }) => trace_id === traceId);
  return {
    span,
    async finished() {
      // What belongs to it ends in this turn, or has ended.
      await new Promise(setImmediate);
      span.end("ok");
      await until("the span is told", () => told().some(({ kind }) => kind === "serve"));
      return told().filter(({ kind }) => kind !== "serve");
    },
  };
}

describe("spans", () => {
  before("they are watched", async () => {
    stop = startTelemetry({ bus, presence: () => ({ services: [], published: {}, applied: {} }) });
    bus.onBroadcast(SPANS_TOPIC, (batch) => batches?.push(batch as SpanBatch));
    const present = new Promise((resolve) => bus.onBroadcast(PRESENCE_TOPIC, resolve));
    bus.broadcast(ROLL_CALL_TOPIC, {});
    await present;
  });

  beforeEach(() => {
    batches = [];
  });

  after(() => stop());

  describe("of a store", () => {
    const temporary = temporaryStore();
    let store: SqliteStore;

    before(() => {
      store = temporary.open();
    });

    after(() => temporary.dispose());

    it("are of the work that is traced, not of what commits with it", async () => {
      const { span, finished } = served();
      const remove = (id: string) => (unit: Unit) => unit.run(sql`DELETE FROM notes WHERE id = ${id}`);
      await Promise.all([
        store.write(remove("before")),
        span.run(() => store.write((unit) => unit.run(sql`INSERT INTO notes VALUES (${"a"}, ${"a secret text"})`))),
        store.write(remove("after")),
      ]);
      const told = await finished();
      expect(told).to.have.lengthOf(1);
      expect(told[0]).to.deep.include({
        kind: "store",
        name: "INSERT notes",
        service: "notes",
        peer: "notes.db",
        status: "ok",
        parent_id: span.context.spanId,
        attributes: { statements: ["INSERT INTO notes VALUES (?, ?)"] },
      });
    });

    it("do not begin with the work of others, whoever woke the commit", async () => {
      const { span, finished } = served();
      const other = served();
      const write = (of: Span, id: string) => of.run(() => store.write(addNote(id)));
      await Promise.all([write(span, "x"), write(other.span, "y"), store.write(addNote("z"))]);
      for (const told of [await finished(), await other.finished()]) {
        expect(told.map(({ name }) => name)).to.deep.equal(["INSERT notes, outbox"]);
      }
    });

    it("tell what is read in one go as one, and what is read later as another", async () => {
      const { span, finished } = served();
      await span.run(async () => {
        void readNotes(store);
        store.answers.once({ principal: "p", key: "k", fingerprint: "f" }, async () => ({})).catch(() => undefined);
        await new Promise(setImmediate);
        void readNotes(store);
      });
      expect((await finished()).map(({ name }) => name)).to.deep.equal(["SELECT notes, answers", "SELECT notes"]);
    });

    it("say what a failure is called, and that nothing was published", async () => {
      const { span, finished } = served();
      const traceparent = formatTraceparent(span.context);
      const failing = span.run(() =>
        store.write(function* (unit) {
          yield* unit.append({ ...noteAdded("n"), traceparent });
          throw new Problem("not-found", "It fails.");
        }),
      );
      expect(await failing.catch((error) => error)).to.be.instanceOf(Problem);
      const told = (await finished()).map(({ kind, status }) => `${kind} ${status}`);
      expect(told).to.have.members(["publish rolled-back", "store not-found"]);
      expect(await store.log.entry(99)).to.equal(undefined);
    });

    it("give the event a trace below its cause, which is passed on as it was where it is not sampled", async () => {
      const { span, finished } = served();
      const unsampled = formatTraceparent(traceOf(undefined));
      await store.write(function* (unit) {
        yield* unit.append({ ...noteAdded("n"), traceparent: formatTraceparent(span.context) });
        yield* unit.append({ ...noteAdded("n"), traceparent: unsampled });
      });
      const head = (await store.log.head())?.seq ?? 0;
      const rows = await store.log.readAfter(head - 2, 2);
      const [traced, plain] = rows.map(({ event }) => JSON.parse(event) as CloudEvent);
      const [publish] = await finished();
      expect(publish).to.include({ kind: "publish", name: "note.added", parent_id: span.context.spanId });
      expect(publish?.attributes).to.deep.equal({ event_id: traced?.id, event_type: "note.added" });
      expect(traced?.traceparent).to.equal(`00-${publish?.trace_id}-${publish?.span_id}-01`);
      expect(plain?.traceparent).to.equal(unsampled);
    });

    it("are not there for work that is not traced", async () => {
      const { finished } = served();
      await store.write(addNote("untraced"));
      void readNotes(store);
      expect(await finished()).to.deep.equal([]);
    });
  });

  describe("of calls that wait at the gate of a module that moves", () => {
    const there: Callable = { contract: notes, call: async () => ({ output: "done" }) };
    const call = (to: Callable, trace: Span["context"], ms: number) =>
      to.call("addNote", { text: "a secret text" }, { ...untraced, deadline: performance.now() + ms, trace });

    it("last until they go on, or give up", async () => {
      const { span, finished } = served();
      const gate = createGate({ contract: notes });
      const late = call(gate, span.context, 5).catch((error: unknown) => error);
      const inTime = call(gate, span.context, 60_000);
      const unseen = call(gate, untraced.trace, 60_000);
      expect(await late).to.be.instanceOf(Problem);
      gate.openTo(there);
      await Promise.all([inTime, unseen]);
      const told = await finished();
      expect(
        told.map(({ kind, name, service, parent_id, status }) => [kind, name, service, parent_id, status]),
      ).to.deep.equal(
        ["upstream-timeout", "ok"].map((status) => ["gate", "notes.addNote", "notes", span.context.spanId, status]),
      );
    });

    it("are told of by their number, as long as it is closed and when it opens", async () => {
      const told: GateTold[] = [];
      const teller = new GateTeller({ broadcast: (_, message) => told.push(gateTold.parse(message)) });
      const gate = createGate({ contract: notes });
      teller.take("notes", gate);
      const waiting = call(gate, untraced.trace, 60_000);
      await until("it is told again", () => told.length > 1);
      gate.openTo(there);
      await waiting;
      teller.take("notes", undefined);
      const { length } = told;
      expect(told[0]).to.deep.include({ module: "notes", closed: true, waiting: 0, waited: 0 });
      expect(told[1]).to.deep.include({ module: "notes", closed: true, waiting: 1, waited: 1 });
      expect(told.at(-1)).to.deep.include({ module: "notes", closed: false, waiting: 0, waited: 1 });
      teller.take("notes", undefined);
      expect(told, "it is open already").to.have.lengthOf(length);
    });
  });

  describe("of events that are applied", () => {
    const eventOf = (span: Span, id: string) =>
      ({ id, type: "note.added", traceparent: formatTraceparent(span.context) }) as CloudEvent;

    it("end with the transaction that applied them", async () => {
      const { span, finished } = served();
      await traceApplied("readers", "notes", async (apply) => {
        runAlone(apply(eventOf(span, "1"), nothing()));
        await new Promise(setImmediate);
        runAlone(apply(eventOf(span, "2"), nothing()));
      });
      const told = await finished();
      expect(told.map(({ kind, name, service, peer, status }) => [kind, name, service, peer, status])).to.deep.equal([
        ["apply", "note.added", "readers", "notes", "ok"],
        ["apply", "note.added", "readers", "notes", "ok"],
      ]);
    });

    it("tell the one that failed from those that went back with it", async () => {
      const { span, finished } = served();
      const failing = traceApplied("readers", "notes", async (apply) => {
        runAlone(apply(eventOf(span, "1"), nothing()));
        runAlone(apply(eventOf(span, "2"), poison()));
      });
      expect(await failing.catch((error) => error.message)).to.equal("poison");
      const statuses = (await finished()).map(({ attributes, status }) => [attributes.event_id, status]);
      expect(statuses).to.have.deep.members([
        ["1", "rolled-back"],
        ["2", "failed"],
      ]);
    });

    it("are not there for events without a sampled trace", async () => {
      const { finished } = served();
      let applied = 0;
      function* count(): Work<void> {
        applied += 1;
      }
      await traceApplied("readers", "notes", async (apply) => {
        for (const traceparent of [undefined, formatTraceparent(traceOf(undefined)), "nonsense", "01"]) {
          runAlone(apply({ id: "1", type: "note.added", traceparent } as CloudEvent, count()));
        }
      });
      expect(applied).to.equal(4);
      expect(await finished()).to.deep.equal([]);
    });
  });

  describe("when broadcast", () => {
    it("are bounded, and those that are dropped are counted", async () => {
      const { span, finished } = served();
      const start = { kind: "call", name: "many", service: "notes" } as const;
      for (let number = 0; number < 3_000; number++) beginSpan(span.context, start).end("ok");
      await finished().catch(() => undefined);
      await until("all that fits is told", () => batches.flatMap(({ spans }) => spans).length >= 2_000);
      beginSpan(span.context, start).end("ok");
      await until("the loss is told", () => (batches.at(-1)?.dropped ?? 0) >= 1_000);
      expect(batches.every(({ spans }) => spans.length <= 100)).to.equal(true);
      for (const [index, { sent, spans }] of batches.entries()) {
        const next = batches[index + 1];
        if (next !== undefined) expect(next.sent).to.equal(sent + spans.length);
      }
    });

    it("follow the flag of a traceparent", () => {
      expect(isSampled(traceOf(undefined))).to.equal(false);
      expect(isSampled(traceOf("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))).to.equal(true);
    });
  });
});

function* nothing(): Work<void> {}

function* poison(): Work<void> {
  throw new Error("poison");
}

/** Runs work that asks nothing of its engine. */
function runAlone(work: Work<void>): void {
  expect(work.next(undefined).done).to.equal(true);
}

function readNotes(store: SqliteStore): Promise<unknown[]> {
  return store.read((reading) => reading.all(sql`SELECT id FROM notes ORDER BY id`));
}
