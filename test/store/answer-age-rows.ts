import { expect } from "chai";
import type { Claim } from "../../src/contract/claim.ts";
import type { Store } from "../../src/store/store.ts";
import { addAnswered, claim } from "./answer-rows.ts";
import type { OpenAgain } from "./store-rows.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** How long kept answers are kept in every engine. `openAgain` opens the store of each test. */
export function answerAgeRows(openAgain: OpenAgain): void {
  describe("its kept answers, over time,", () => {
    let store: Store;
    let nowMs = Date.UTC(2025, 0, 2);
    let made = 0;

    beforeEach(async () => {
      store = await openAgain({ now: () => nowMs });
      made = 0;
    });

    /** An operation with an effect: it adds a note of a new id, and answers it. */
    const add = (key: Claim) => store.answers.once(key, () => addAnswered(store, key, `note-${++made}`));

    it("are replayed byte for byte after a restart", async () => {
      const first = await add(claim("k"));
      await store.close();
      store = await openAgain({ now: () => nowMs });
      expect(JSON.stringify(await add(claim("k")))).to.equal(JSON.stringify({ ...first, replayed: true }));
    });

    it("last a day", async () => {
      await add(claim("k"));
      nowMs += DAY_MS - 1;
      expect(await add(claim("k"))).to.have.property("replayed", true);
      expect(await store.answers.expire()).to.equal(0);
      nowMs += 1;
      expect(await add(claim("k"))).to.deep.include({ id: "note-2" });
      expect(await add(claim("k"))).to.deep.include({ id: "note-2", replayed: true });
    });

    it("outlive a clock that is a year ahead for a while, and go a day after they were made all the same", async () => {
      await store.close();
      let stepMs = 0;
      store = await openAgain({ now: () => nowMs + stepMs, monotonicMs: () => nowMs });
      await add(claim("k"));
      stepMs = 365 * DAY_MS;
      expect(await store.answers.expire()).to.equal(0);
      expect(await add(claim("k"))).to.have.property("replayed", true);
      await add(claim("made meanwhile"));
      stepMs = 0;
      expect(await add(claim("k"))).to.have.property("replayed", true);
      nowMs += DAY_MS;
      expect(await store.answers.expire()).to.equal(2);
      expect(await add(claim("k"))).to.not.have.property("replayed");
    });

    it("outlive a start by a clock that is a year ahead for a while, and go a day after they were made all the same", async () => {
      await add(claim("k"));
      await store.close();
      let stepMs = 365 * DAY_MS;
      store = await openAgain({ now: () => nowMs + stepMs, monotonicMs: () => nowMs });
      expect(await store.answers.expire()).to.equal(0);
      expect(await add(claim("k"))).to.have.property("replayed", true);
      stepMs = 0;
      nowMs += DAY_MS;
      expect(await store.answers.expire()).to.equal(1);
      expect(await add(claim("k"))).to.not.have.property("replayed");
    });

    it("are forgotten once they are a day old, however many there are", async () => {
      await store.write(function* (unit) {
        for (let i = 0; i < 2_500; i++) yield* unit.keepAnswer(claim(`old-${i}`), {});
      });
      nowMs += DAY_MS / 2;
      await add(claim("young"));
      nowMs += DAY_MS / 2;
      expect(await store.answers.expire()).to.equal(2_500);
      expect(await add(claim("young"))).to.have.property("replayed", true);
    });
  });
}
