import { expect } from "chai";
import { sql } from "../../src/store/sql.ts";
import type { Store } from "../../src/store/store.ts";
import type { Step, Unit, Work } from "../../src/store/unit.ts";
import { answerAgeRows } from "./answer-age-rows.ts";
import { answerRows } from "./answer-rows.ts";
import { cursorRows } from "./cursor-rows.ts";
import { leaseRows } from "./lease-rows.ts";
import { logRows } from "./log-rows.ts";
import { pruneRows } from "./prune-rows.ts";
import { addNote, noteAdded } from "./temporary-store.ts";

/** Opens the store of a test, once more each time, by a clock of its own if it has to. */
export type OpenAgain = (clock?: { readonly now: () => number; readonly monotonicMs?: () => number }) => Promise<Store>;

/**
 * What every engine does with units of work, and with what they write. `open` opens a store of notes, which is empty when a test
 * begins, and again within it, as another process does; it is closed by whoever gave it.
 */
export function storeRows(engine: string, open: OpenAgain): void {
  describe(`a store in ${engine}`, () => {
    let store: Store;

    beforeEach(async () => {
      store = await open();
    });

    const ids = () =>
      store.read(function* (reading) {
        const rows = yield* reading.all(sql<{ id: string }>`SELECT id FROM notes ORDER BY id`);
        return rows.map(({ id }) => id);
      });
    const failureOf = (work: Promise<unknown>) =>
      work.then(
        () => "nothing failed",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );

    it("reads rows, the first of them, or none", async () => {
      await store.write(addNote("a", "one"));
      await store.write(addNote("b", "two"));
      const find = (id: string) =>
        store.read((reading) => reading.get(sql<{ text: string }>`SELECT text FROM notes WHERE id = ${id}`));
      expect(await find("b")).to.include({ text: "two" });
      expect(await find("c")).to.equal(undefined);
      expect(await ids()).to.deep.equal(["a", "b"]);
    });

    it("puts parts into a statement, with their values, where they stand", async () => {
      for (const id of ["a", "b", "c"]) await store.write(addNote(id, id.toUpperCase()));
      const columns = sql`id, text`;
      const among = (low: string, high: string) => sql`id >= ${low} AND id <= ${high}`;
      const list = (low: string, high: string, limit: number) =>
        store.read((reading) =>
          reading.all(
            sql<{ id: string }>`SELECT ${columns} FROM notes WHERE ${among(low, high)} ORDER BY id LIMIT ${limit}`,
          ),
        );
      expect(await list("a", "c", 2)).to.deep.equal([
        { id: "a", text: "A" },
        { id: "b", text: "B" },
      ]);
      expect(await list("b", "b", 9)).to.deep.equal([{ id: "b", text: "B" }]);
    });

    it("tells how many rows a statement changed, and hands values through as they are", async () => {
      const text = `'; DROP TABLE notes; -- ü 𝄞 "quoted" $1 ? :id`;
      await store.write(addNote("a", text));
      const change = (id: string) =>
        store.write((unit) => unit.run(sql`UPDATE notes SET text = text WHERE id = ${id}`));
      expect([await change("a"), await change("b")]).to.deep.equal([1, 0]);
      const kept = await store.read((reading) => reading.get(sql<{ text: string }>`SELECT text FROM notes`));
      expect(kept).to.deep.equal({ text });
    });

    it("shows a unit of work what it has done, and others only what is committed", async () => {
      let before: Promise<string[]> | undefined;
      const seen = await store.write(function* (unit) {
        yield* addNote("a")(unit);
        before = ids();
        return yield* unit.lock(sql<{ id: string }>`SELECT id FROM notes WHERE id = ${"a"}`);
      });
      expect(seen).to.include({ id: "a" });
      await before;
      expect(await ids()).to.deep.equal(["a"]);
    });

    it("undoes all that a unit of work did which fails, its events and kept answers too", async () => {
      const claim = { principal: "p", key: "k", fingerprint: "f" };
      const failing = store.write(function* (unit) {
        yield* addNote("lost")(unit);
        yield* unit.keepAnswer(claim, { id: "lost" });
        throw new Error("of its own");
      });
      expect(await failureOf(failing)).to.equal("of its own");
      expect(await ids()).to.deep.equal([]);
      expect(await store.log.head()).to.equal(undefined);
      expect(await store.answers.once(claim, async () => ({ id: "anew" }))).to.deep.equal({ id: "anew" });
    });

    it("does after the commit what was asked for, once and in order, and nothing when the unit of work fails", async () => {
      const done: string[] = [];
      await store.write(function* (unit) {
        unit.afterCommit(() => done.push("first"));
        unit.afterCommit(() => done.push("second"));
        yield* addNote("a")(unit);
        expect(done).to.deep.equal([]);
      });
      expect(done).to.deep.equal(["first", "second"]);
      const failing = store.write(function* (unit) {
        unit.afterCommit(() => done.push("never"));
        yield* addNote("a")(unit); // there is one already
      });
      expect(await failureOf(failing)).not.to.equal("nothing failed");
      expect(done).to.deep.equal(["first", "second"]);
    });

    it("fails a unit of work that made a step and did not run it, and undoes it", async () => {
      const forgetful = store.write(function* (unit) {
        yield* addNote("a")(unit);
        unit.append(noteAdded("forgotten"));
      });
      expect(await failureOf(forgetful)).to.contain("`yield*` is missing");
      expect(await ids()).to.deep.equal([]);
    });

    it("refuses steps outside of the unit of work that they are of: before it, after it, and in another", async () => {
      let ended: Unit | undefined;
      let kept: Step | undefined;
      await store.write(function* (unit) {
        ended = unit;
        yield* addNote("a")(unit);
      });
      expect(() => ended?.append(noteAdded("a"))).to.throw("not running");
      await failureOf(
        store.write(function* (unit) {
          kept = unit.append(noteAdded("kept"));
          yield* [];
        }),
      );
      const foreign = store.write(function* () {
        if (kept !== undefined) yield* kept;
      });
      expect(await failureOf(foreign)).to.contain("not running");
      expect(await store.log.head()).to.include({ seq: 1 });
    });

    it("lets no unit of work go on from a statement that failed", async () => {
      await store.write(addNote("a"));
      const stubborn = store.write(function* (unit) {
        try {
          yield* addNote("a")(unit);
        } catch {
          yield* addNote("b")(unit);
        }
      });
      expect(await failureOf(stubborn)).to.contain("cannot go on");
      const silent = store.write(function* (unit): Work<string> {
        try {
          yield* addNote("a")(unit);
        } catch {
          return "as if nothing had been";
        }
        return "";
      });
      expect(await failureOf(silent)).to.contain("cannot go on");
      expect(await ids()).to.deep.equal(["a"]);
    });

    it("writes nothing for who only reads", async () => {
      const writing = store.read((reading) =>
        reading.get(sql`INSERT INTO notes (id, text) VALUES ('a', '') RETURNING id`),
      );
      expect(await failureOf(writing)).to.contain("only a unit of work can write");
      expect(await ids()).to.deep.equal([]);
    });

    logRows(() => store);
    answerRows(() => store, open);
    answerAgeRows(open);
    cursorRows(() => store, open);
    pruneRows(open);
    leaseRows(() => store);
  });
}
