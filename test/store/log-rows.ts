import { expect } from "chai";
import type { LogEntry, Store } from "../../src/store/store.ts";
import { addNote, noteAdded } from "./temporary-store.ts";

/** What the log of events does in every engine. `opened` gives the empty store of each test. */
export function logRows(opened: () => Store): void {
  describe("its log", () => {
    let store: Store;

    beforeEach(() => {
      store = opened();
    });

    const subjectsOf = (rows: readonly LogEntry[]) => rows.map(({ event }) => JSON.parse(event).subject).sort();

    it("is empty at first", async () => {
      const { log } = store;
      const found = [await log.head(), await log.floor(), await log.readAfter(0, 10), await log.entry(1)];
      expect(found).to.deep.equal([undefined, undefined, [], undefined]);
    });

    it("numbers rows without a gap, whatever fails between them, and connects each to the one before", async () => {
      await appendTwoAndFail(store);
      await appendTwoAndFail(store);
      const rows = await store.log.readAfter(0, 10);
      // What is written at the same time is in either order.
      expect(rows.map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4]);
      expect([subjectsOf(rows.slice(0, 2)), subjectsOf(rows.slice(2))]).to.deep.equal([
        ["a", "c"],
        ["a", "c"],
      ]);
      const [first] = rows;
      expect(rows.map(({ previousEpoch }) => previousEpoch)).to.deep.equal(["", ...Array(3).fill(first?.epoch)]);
      expect(await store.log.head()).to.deep.equal({ epoch: first?.epoch, seq: 4 });
    });

    it("is read in parts, and row by row", async () => {
      await append(store, 5);
      const [second, third, ...others] = await store.log.readAfter(1, 2);
      expect([second?.seq, third?.seq, others.length]).to.deep.equal([2, 3, 0]);
      expect(await store.log.entry(3)).to.deep.equal(third);
    });

    it("is pruned below a row, however many there are", async () => {
      await append(store, 2_500);
      await store.log.prune(2_401);
      expect(await store.log.floor()).to.equal(2_401);
      expect(await store.log.readAfter(0, 1_000)).to.have.length(100);
    });

    it("keeps its newest row, so that numbers are never used again", async () => {
      await append(store, 3);
      await store.log.prune(100);
      expect(await store.log.floor()).to.equal(3);
      await append(store, 1);
      expect(await store.log.head()).to.include({ seq: 4 });
    });

    it("tells listeners of the new rows after the commit, in order, and only of those", async () => {
      const told: { entries: readonly LogEntry[]; inLog: Promise<readonly LogEntry[]> }[] = [];
      const stop = store.log.onAppended((entries) => told.push({ entries, inLog: store.log.readAfter(0, 10) }));
      await appendTwoAndFail(store);
      await store.log.head(); // once a row is in the log, they have been told
      const entries = told.flatMap((each) => each.entries);
      expect(entries.map(({ seq }) => seq)).to.deep.equal([1, 2]);
      expect(subjectsOf(entries)).to.deep.equal(["a", "c"]);
      expect(await told.at(-1)?.inLog).to.deep.equal(entries);
      const before = told.length;
      await store.write(function* () {});
      stop();
      await append(store, 1);
      expect(await store.log.head()).to.include({ seq: 3 });
      expect(told).to.have.length(before);
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
      await store.log.head();
      expect(told).to.equal(1);
      expect((await warned).message).to.equal("a listener of this test fails");
      expect(store.fault()).to.equal(undefined);
    });
  });
}

async function append(store: Store, count: number): Promise<void> {
  await store.write(function* (unit) {
    for (let i = 0; i < count; i++) yield* unit.append(noteAdded(String(i)));
  });
}

/** At once: a row, a unit of work that fails after two rows of its own, and another row. */
export async function appendTwoAndFail(store: Store): Promise<void> {
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
