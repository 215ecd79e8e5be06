import { expect } from "chai";
import { sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import { injectConflicts } from "../../torture/conflicts.ts";
import { addNote } from "../temporary-store.ts";
import { increaseNote } from "./increase-note.ts";
import { temporaryPostgres } from "./temporary-postgres.ts";

const PAUSE = sql`SELECT pg_sleep(0.1)`;

describe("units of work in PostgreSQL that are in each other's way", () => {
  const postgres = temporaryPostgres(["deadlock_timeout=50ms"]);
  let store: Store;

  beforeEach(async () => {
    postgres.begin();
    store = await postgres.open();
    for (const id of ["a", "b"]) await store.write(addNote(id, "0"));
  });
  afterEach(() => postgres.end());

  const textOf = (id: string) =>
    store.read(function* (reading) {
      const row = yield* reading.get(sql<{ text: string }>`SELECT text FROM notes WHERE id = ${id}`);
      return Number(row?.text);
    });

  it("wait for each other's rows, so that none is lost", async () => {
    const writes = Array.from({ length: 30 }, () => store.write((unit) => increaseNote(unit, "a")));
    await Promise.all(writes);
    expect(await textOf("a")).to.equal(30);
  });

  it("are begun again when they deadlock, and forget what they wanted done", async () => {
    let runs = 0;
    const done: string[] = [];
    const locked = new Set<string>();
    const both = (first: string, second: string) =>
      store.write(function* (unit) {
        runs += 1;
        unit.afterCommit(() => done.push(first));
        yield* increaseNote(unit, first);
        locked.add(first);
        while (locked.size < 2) yield* unit.get(PAUSE);
        yield* increaseNote(unit, second);
      });
    await Promise.all([both("a", "b"), both("b", "a")]);
    expect(runs).to.be.greaterThan(2);
    expect([await textOf("a"), await textOf("b")]).to.deep.equal([2, 2]);
    expect(done.sort()).to.deep.equal(["a", "b"]);
  });

  it("get on at SERIALIZABLE as well, where each is refused that another has overtaken", async () => {
    const url = `${postgres.server.url}?options=-c default_transaction_isolation=serializable`;
    const strict = await postgres.open({ url });
    let runs = 0;
    const writes = Array.from({ length: 20 }, () =>
      strict.write(function* (unit) {
        runs += 1;
        const row = yield* unit.get(sql<{ text: string }>`SELECT text FROM notes WHERE id = 'a'`);
        while (runs < 2) yield* unit.get(PAUSE);
        yield* unit.run(sql`UPDATE notes SET text = ${String(Number(row?.text) + 1)} WHERE id = 'a'`);
      }),
    );
    await Promise.all(writes);
    expect(await textOf("a")).to.equal(20);
    expect(runs).to.be.greaterThan(20);
  });

  it("are begun again whatever of them is refused, be it the COMMIT, as is the numbering of their events; nobody calls that a fault", async () => {
    const refused = await injectConflicts(postgres.server.url, 0.1, [postgres.schema]);
    for (let n = 0; n < 60; n++) {
      await store.write(addNote(`refused ${n}`));
      expect(store.fault()).to.equal(undefined);
    }
    expect(await store.log.head()).to.include({ seq: 62 });
    expect(store.fault()).to.equal(undefined);
    expect(await refused()).to.be.greaterThan(0);
  });

  it("see one moment where they only read, whatever is committed meanwhile", async () => {
    const count = sql<{ count: number }>`SELECT count(*) AS count FROM notes`;
    let isAdded = false;
    const counts = await store.read(function* (reading) {
      const before = yield* reading.get(count);
      void store.write(addNote("c")).then(() => {
        isAdded = true;
      });
      while (!isAdded) yield* reading.get(PAUSE);
      const after = yield* reading.get(count);
      return [before?.count, after?.count];
    });
    expect(counts).to.deep.equal([2, 2]);
  });

  describe("of two processes that apply the same row", () => {
    let looked: number;

    beforeEach(() => {
      looked = 0;
    });

    /** Applies a row with an effect of its own, as a consumer does that sees where it stands. */
    const apply = (from: Store, effect: string, takes: boolean) =>
      from.write(function* (unit) {
        if (takes) yield* from.cursors.take(unit, "orders");
        const reached = yield* from.cursors.position(unit, "orders", "e");
        if (reached >= 1) return "applied before";
        looked += 1;
        do yield* unit.get(PAUSE);
        while (!takes && looked < 2); // who takes the cursor waits for the other
        yield* addNote(effect)(unit);
        yield* from.cursors.move(unit, "orders", { epoch: "e", seq: 1 });
        return "applied";
      });

    it("let one wait for the other, and find that it is applied", async () => {
      const other = await postgres.open();
      const outcomes = await Promise.all([apply(store, "one", true), apply(other, "other", true)]);
      expect(outcomes.sort()).to.deep.equal(["applied", "applied before"]);
      await other.log.head(); // whichever wrote the event gives it its number
      expect(await store.log.head()).to.include({ seq: 3 });
    });

    it("refuse the one that comes too late, whose effect is undone", async () => {
      const other = await postgres.open();
      const outcomes = await Promise.allSettled([apply(store, "one", false), apply(other, "other", false)]);
      const refused = outcomes.filter((outcome) => outcome.status === "rejected");
      expect(refused.map(({ reason }) => reason.message)).to.deep.equal([
        "the cursor of orders is not before row 1 of epoch e",
      ]);
      await other.log.head(); // whichever wrote the event gives it its number
      expect(await store.log.head()).to.include({ seq: 3 });
    });
  });
});
