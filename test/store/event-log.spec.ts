import { expect } from "chai";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { appendTwoAndFail } from "./log-rows.ts";
import { noteAdded, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

describe("the event log", () => {
  let temporary: TemporaryStore;
  let store: SqliteStore;

  beforeEach(() => {
    temporary = temporaryStore();
    store = temporary.open();
  });
  afterEach(() => temporary.dispose());

  it("keeps a CloudEvent for each event", async () => {
    const atMs = Date.UTC(2025, 0, 2, 3, 4, 5, 678);
    const clocked = temporary.open({ now: () => atMs });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"; // not sampled: nobody begins a span of it
    await clocked.write(function* (unit) {
      yield* unit.append({ ...noteAdded("a"), traceparent });
      yield* unit.append(noteAdded("b"));
    });
    const [first, second] = (await clocked.log.readAfter(0, 10)).map(({ event }) => JSON.parse(event));
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

  it("numbers rows without gaps over openings, and names the opening of each and of the one before", async () => {
    await appendTwoAndFail(store);
    await store.close();
    const reopened = temporary.open();
    await appendTwoAndFail(reopened);
    const rows = await reopened.log.readAfter(0, 10);
    expect(rows.map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4]);
    const [first, , third] = rows.map(({ epoch }) => epoch);
    expect(first).not.to.equal(third);
    expect(rows.map(({ epoch }) => epoch)).to.deep.equal([first, first, third, third]);
    expect(rows.map(({ previousEpoch }) => previousEpoch)).to.deep.equal(["", first, first, third]);
    expect(await reopened.log.head()).to.deep.equal({ epoch: third, seq: 4 });
  });

  it("takes the epoch that a simulation draws", async () => {
    const drawn = temporary.open({ file: ":memory:", randomEpoch: () => "drawn" });
    await drawn.write((unit) => unit.append(noteAdded("a")));
    expect(await drawn.log.head()).to.deep.equal({ epoch: "drawn", seq: 1 });
  });

  it("goes on from the last row when two processes of one module overlap", async () => {
    const other = temporary.open();
    await store.write((unit) => unit.append(noteAdded("a")));
    await other.write((unit) => unit.append(noteAdded("b")));
    await store.write((unit) => unit.append(noteAdded("c")));
    const rows = await store.log.readAfter(0, 10);
    expect(rows.map(({ seq }) => seq)).to.deep.equal([1, 2, 3]);
    expect(rows[2]?.previousEpoch).to.equal(rows[1]?.epoch);
    expect(rows[2]?.epoch).to.equal(rows[0]?.epoch);
  });
});
