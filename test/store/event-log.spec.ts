import { expect } from "chai";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import type { LogEntry } from "../../src/store/store.ts";
import { addNote, noteAdded, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

describe("the event log", () => {
  let temporary: TemporaryStore;
  let store: SqliteStore;

  beforeEach(() => {
    temporary = temporaryStore();
    store = temporary.open();
  });
  afterEach(() => temporary.dispose());

  it("is empty at first", () => {
    expect(store.log.head()).to.equal(undefined);
    expect(store.log.floor()).to.equal(undefined);
    expect(store.log.readAfter(0, 10)).to.deep.equal([]);
    expect(store.log.entry(1)).to.equal(undefined);
  });

  it("keeps a CloudEvent for each event", async () => {
    const atMs = Date.UTC(2025, 0, 2, 3, 4, 5, 678);
    const clocked = temporary.open({ now: () => atMs });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await clocked.write(function* (unit) {
      yield* unit.append({ ...noteAdded("a"), traceparent });
      yield* unit.append(noteAdded("b"));
    });
    const [first, second] = clocked.log.readAfter(0, 10).map(({ event }) => JSON.parse(event));
    expect(first.id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(first).to.deep.equal({
      specversion: "1.0",
      id: first.id,
      source: "/notes",
      type: "note.added",
      subject: "a",
      time: "2025-01-02T03:04:05.678Z",
      datacontenttype: "application/json",
      traceparent,
      data: { note_id: "a" },
    });
    expect(second).not.to.have.property("traceparent");
    expect(second.id).not.to.equal(first.id);
  });

  it("numbers rows without gaps over failures and openings, and names the opening of each and of the one before", async () => {
    await appendTwoAndFail(store);
    await store.close();
    const reopened = temporary.open();
    await appendTwoAndFail(reopened);
    const rows = reopened.log.readAfter(0, 10);
    expect(rows.map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4]);
    const [first, , third] = rows.map(({ epoch }) => epoch);
    expect(first).not.to.equal(third);
    expect(rows.map(({ epoch }) => epoch)).to.deep.equal([first, first, third, third]);
    expect(rows.map(({ previousEpoch }) => previousEpoch)).to.deep.equal(["", first, first, third]);
    expect(reopened.log.head()).to.deep.equal({ epoch: third, seq: 4 });
  });

  it("takes the epoch that a simulation draws", async () => {
    const drawn = temporary.open({ file: ":memory:", randomEpoch: () => "drawn" });
    await drawn.write((unit) => unit.append(noteAdded("a")));
    expect(drawn.log.head()).to.deep.equal({ epoch: "drawn", seq: 1 });
  });

  it("goes on from the last row when two processes of one module overlap", async () => {
    const other = temporary.open();
    await store.write((unit) => unit.append(noteAdded("a")));
    await other.write((unit) => unit.append(noteAdded("b")));
    await store.write((unit) => unit.append(noteAdded("c")));
    const rows = store.log.readAfter(0, 10);
    expect(rows.map(({ seq }) => seq)).to.deep.equal([1, 2, 3]);
    expect(rows[2]?.previousEpoch).to.equal(rows[1]?.epoch);
    expect(rows[2]?.epoch).to.equal(rows[0]?.epoch);
  });

  it("reads a part", async () => {
    await append(store, 5);
    expect(store.log.readAfter(1, 2).map(({ seq }) => seq)).to.deep.equal([2, 3]);
    expect(store.log.entry(4)).to.deep.equal(store.log.readAfter(3, 1)[0]);
  });

  it("prunes below a row, however many there are", async () => {
    await append(store, 2_500);
    await store.log.prune(2_401);
    expect(store.log.floor()).to.equal(2_401);
    expect(store.log.readAfter(0, 1_000)).to.have.length(100);
  });

  it("never prunes the newest row, so that numbers are never used again", async () => {
    await append(store, 3);
    await store.log.prune(100);
    expect(store.log.floor()).to.equal(3);
    await append(store, 1);
    expect(store.log.head()).to.include({ seq: 4 });
  });

  it("tells listeners of the new rows after the commit, and only of those", async () => {
    const told: { entries: readonly LogEntry[]; inLog: readonly LogEntry[] }[] = [];
    const stop = store.log.onAppended((entries) => told.push({ entries, inLog: store.log.readAfter(0, 10) }));
    await appendTwoAndFail(store);
    expect(told).to.have.length(1);
    expect(told[0]?.entries).to.have.length(2);
    expect(told[0]?.entries).to.deep.equal(told[0]?.inLog);
    await store.write(function* () {});
    stop();
    await append(store, 1);
    expect(told).to.have.length(1);
  });

  it("is not harmed by a listener that throws", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    let told = 0;
    store.log.onAppended(() => {
      throw new Error("a listener of this test fails");
    });
    store.log.onAppended(() => {
      told++;
    });
    await append(store, 1);
    expect(told).to.equal(1);
    expect((await warned).message).to.equal("a listener of this test fails");
    expect(store.fault()).to.equal(undefined);
  });
});

async function append(store: SqliteStore, count: number): Promise<void> {
  await store.write(function* (unit) {
    for (let i = 0; i < count; i++) yield* unit.append(noteAdded(String(i)));
  });
}

/** One group: a row, a unit of work that fails after two rows of its own, and another row. */
async function appendTwoAndFail(store: SqliteStore): Promise<void> {
  const outcomes = await Promise.allSettled([
    store.write((unit) => unit.append(noteAdded("a"))),
    store.write(function* (unit) {
      yield* unit.append(noteAdded("b"));
      yield* addNote("b")(unit);
      throw new Error("of its own");
    }),
    store.write((unit) => unit.append(noteAdded("c"))),
  ]);
  expect(outcomes.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
}
