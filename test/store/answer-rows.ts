import { expect } from "chai";
import { type Claim, claimOf } from "../../src/contract/claim.ts";
import { sql } from "../../src/store/sql.ts";
import type { Store } from "../../src/store/store.ts";
import { addNote } from "./temporary-store.ts";

/**
 * What kept answers do in every engine. `opened` gives the empty store of each test, `openAgain` the same once more, as another
 * process has it.
 */
export function answerRows(opened: () => Store, openAgain: () => Promise<Store>): void {
  describe("its kept answers", () => {
    let store: Store;
    let made: number;

    beforeEach(() => {
      store = opened();
      made = 0;
    });

    /** An operation with an effect: it adds a note of a new id, and answers it. */
    const add = (claim: Claim | undefined, failure?: Error) => once(store, claim, () => `note-${++made}`, failure);
    const codeOf = (work: Promise<unknown>) => work.catch((error: { code?: unknown }) => error.code);
    const noteIds = () =>
      store.read(function* (reading) {
        const rows = yield* reading.all(sql<{ id: string }>`SELECT id FROM notes ORDER BY id`);
        return rows.map(({ id }) => id);
      });

    it("are not kept without a key", async () => {
      expect(await add(undefined)).to.have.property("id", "note-1");
      expect(await add(undefined)).to.have.property("id", "note-2");
    });

    it("are replayed byte for byte, to as many as ask at once", async () => {
      const first = JSON.stringify(await add(claim("k")));
      for (const { replayed, ...again } of await Promise.all([add(claim("k")), add(claim("k"))])) {
        expect([replayed, JSON.stringify(again)]).to.deep.equal([true, first]);
      }
      expect(await noteIds()).to.deep.equal(["note-1"]);
    });

    it("make twenty copies at once have one effect", async () => {
      const copies = Array.from({ length: 20 }, () => add(claim("k")));
      const outcomes = await Promise.all(
        copies.map((copy) =>
          copy.then(
            ({ id }) => id,
            ({ code }) => code,
          ),
        ),
      );
      expect(outcomes).to.include("note-1").and.include("request-in-progress");
      expect(outcomes.every((outcome) => ["note-1", "request-in-progress"].includes(outcome))).to.equal(true);
      expect(await noteIds()).to.deep.equal(["note-1"]);
    });

    it("refuse a key that comes with another request, running or finished", async () => {
      const one = claim("k", { text: "one" });
      const other = () => codeOf(add(claim("k", { text: "two" })));
      await store.answers.once(one, async () => {
        expect(await other()).to.equal("idempotency-key-reused");
        return addAnswered(store, one, "note-1");
      });
      expect(await other()).to.equal("idempotency-key-reused");
      expect(await noteIds()).to.deep.equal(["note-1"]);
    });

    it("free the key when the work fails", async () => {
      const failed = await add(claim("k"), new Error("of its own")).catch((error: Error) => error.message);
      expect(failed).to.equal("of its own");
      expect(await noteIds()).to.deep.equal([]);
      expect(await add(claim("k"))).to.deep.include({ id: "note-2" });
      expect(await add(claim("k"))).to.deep.include({ id: "note-2", replayed: true });
    });

    it("belong to the principal", async () => {
      expect(await add(claim("k", {}, "alice"))).to.have.property("id", "note-1");
      expect(await add(claim("k", {}, "bob"))).to.have.property("id", "note-2");
    });

    describe("when another process is first", () => {
      /** Meanwhile the other finishes the request `theirs`; this one adds the note `id` for the request `k` all the same. */
      const overlap = async (theirs: Claim, id: string) => {
        const other = await openAgain();
        return store.answers.once(claim("k"), async () => {
          await once(other, theirs, () => "theirs");
          return addAnswered(store, claim("k"), id);
        });
      };

      it("are of the other, and what this one did is undone", async () => {
        expect(await overlap(claim("k"), "ours")).to.deep.include({ id: "theirs", replayed: true });
        expect(await noteIds()).to.deep.equal(["theirs"]);
      });

      it("are of the other also where this one fails for what the other has done", async () => {
        expect(await overlap(claim("k"), "theirs")).to.deep.include({ id: "theirs", replayed: true });
      });

      it("are none where the other was refused, who may count on it; whoever asks later is not held up", async () => {
        const other = await openAgain();
        const late = store.answers.once(claim("k"), async () => {
          await once(other, claim("k"), () => "theirs", new Error("of its own")).catch(() => undefined);
          return addAnswered(store, claim("k"), "ours");
        });
        expect(await codeOf(late)).to.equal("request-in-progress");
        expect(await noteIds()).to.deep.equal([]);
        expect(await add(claim("k", { text: "two" }))).to.deep.include({ id: "note-1" });
        expect(await add(claim("k", { text: "two" }))).to.deep.include({ id: "note-1", replayed: true });
      });

      it("are none for who was asked before the other was refused, however late that gets here", async () => {
        const other = await openAgain();
        const askedAt = performance.now() - 1_000;
        await once(other, claim("k"), () => "theirs", new Error("of its own")).catch(() => undefined);
        const late = store.answers.once(claim("k"), () => addAnswered(store, claim("k"), "ours"), askedAt);
        expect(await codeOf(late)).to.equal("request-in-progress");
        expect(await noteIds()).to.deep.equal([]);
        expect(await add(claim("k"))).to.deep.include({ id: "note-1" });
      });

      it("are none for older code where the other was refused: it takes that for an answer of long ago", async () => {
        await add(claim("k"), new Error("of its own")).catch(() => undefined);
        const kept = await store.read((reading) =>
          reading.all(sql<{ atMs: number }>`SELECT kept_at_ms AS "atMs" FROM answers`),
        );
        expect(kept).to.have.length(1);
        expect(kept[0]?.atMs).to.be.below(0);
      });

      it("are none where that was another request", async () => {
        expect(await codeOf(overlap(claim("k", { text: "two" }), "ours"))).to.equal("idempotency-key-reused");
        expect(await noteIds()).to.deep.equal(["theirs"]);
      });
    });
  });
}

export function claim(key: string, input: Record<string, unknown> = {}, principal = "alice"): Claim {
  const made = claimOf(principal, "addNote", { ...input, idempotencyKey: key });
  if (made === undefined) throw new Error("a key makes a claim");
  return made;
}

function once(store: Store, claim: Claim | undefined, nextId: () => string, failure?: Error) {
  return store.answers.once(claim, () => addAnswered(store, claim, nextId(), failure));
}

/** Adds a note, and keeps an answer that tells of it. */
export function addAnswered(store: Store, claim: Claim | undefined, id: string, failure?: Error) {
  return store.write(function* (unit) {
    const answer = { z: "last", id, nested: { b: [1, 2.5, "ü"], a: null } };
    yield* addNote(id)(unit);
    if (claim !== undefined) yield* unit.keepAnswer(claim, answer);
    if (failure !== undefined) throw failure;
    return answer;
  });
}
