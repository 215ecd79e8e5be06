import { expect } from "chai";
import { pino } from "pino";
import { beginSpan } from "../../../src/base/span.ts";
import { createMemoryBus } from "../../../src/bus/memory/bus.ts";
import { sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import { PRESENCE_TOPIC, ROLL_CALL_TOPIC } from "../../../src/telemetry/presence.ts";
import { SPANS_TOPIC, type SpanBatch } from "../../../src/telemetry/span-record.ts";
import { startTelemetry } from "../../../src/telemetry/tracing.ts";
import { until } from "../../support/process.ts";
import { addNote } from "../temporary-store.ts";
import { temporaryPostgres } from "./temporary-postgres.ts";

describe("spans of a store in PostgreSQL", () => {
  const postgres = temporaryPostgres();
  const bus = createMemoryBus({ logger: pino({ level: "silent" }) });
  const batches: SpanBatch[] = [];
  let stop: (() => void) | undefined;
  let store: Store;

  before("they are watched", async () => {
    stop = startTelemetry({ bus, presence: () => ({ services: [], published: {}, applied: {} }) });
    bus.onBroadcast(SPANS_TOPIC, (batch) => batches.push(batch as SpanBatch));
    const present = new Promise((resolve) => bus.onBroadcast(PRESENCE_TOPIC, resolve));
    bus.broadcast(ROLL_CALL_TOPIC, {});
    await present;
    postgres.begin();
    store = await postgres.open();
  });
  after(async () => {
    await postgres.end();
    stop?.();
  });

  it("tell what a unit of work wrote and what was read, of the work that is traced, with placeholders", async () => {
    const span = beginSpan(undefined, { kind: "serve", name: "notes.test", service: "notes" });
    await Promise.all([
      store.write(addNote("before")),
      span.run(() => store.write(addNote("a", "a secret text"))),
      store.write(addNote("after")),
    ]);
    await span.run(() => store.read((reading) => reading.get(sql`SELECT id FROM notes WHERE id = ${"a"}`)));
    span.end("ok");
    const told = () =>
      batches.flatMap(({ spans }) => spans).filter(({ trace_id }) => trace_id === span.context.traceId);
    await until("the span is told", () => told().some(({ kind }) => kind === "serve"));
    const ofStore = told().filter(({ kind }) => kind === "store");
    expect(ofStore.map(({ name, peer, status }) => `${name}, ${peer}, ${status}`)).to.deep.equal([
      "INSERT notes, outbox_arrivals, notes.db, ok",
      "SELECT notes, notes.db, ok",
    ]);
    expect(ofStore[0]?.attributes.statements).to.deep.equal([
      "INSERT INTO notes (id, text) VALUES ($1, $2)",
      "INSERT INTO outbox_arrivals (event) VALUES ($1)",
    ]);
  });
});
