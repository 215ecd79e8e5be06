import { expect } from "chai";
import { z } from "zod";
import type { CloudEvent } from "../../src/contract/event.ts";
import type { Position, Store } from "../../src/store/store.ts";
import type { OpenAgain } from "./store-rows.ts";

const ANOTHER_ID = "0193f0a0-0000-7000-8000-000000000001";
const uuidv7 = z.uuidv7();

const event: CloudEvent = {
  specversion: "1.0",
  id: "0193f0a0-0000-7000-8000-000000000000",
  source: "/orders",
  type: "order.created",
  subject: "o",
  time: "2025-01-02T03:04:05.678Z",
  datacontenttype: "application/json",
  data: { order_id: "o" },
};

const letter = { publisher: "orders", position: { epoch: "e1", seq: 7 }, event, error: "no such order", attempts: 5 };

/** What cursors do in every engine. `opened` gives the empty store of each test, `openAgain` the same once more. */
export function cursorRows(opened: () => Store, openAgain: OpenAgain): void {
  describe("its cursors", () => {
    let store: Store;

    beforeEach(() => {
      store = opened();
    });

    const move = (publisher: string, epoch: string, seq: number) =>
      store.write((unit) => store.cursors.move(unit, publisher, { epoch, seq }));

    it("stand at 0 before the first row", async () => {
      expect(await positionOf(store, "orders", "e1")).to.equal(0);
      expect(await positionsOf(store, "orders")).to.deep.equal([]);
    });

    it("are kept per publisher and epoch, the one that moved last first", async () => {
      await move("orders", "e1", 3);
      await move("orders", "e2", 4);
      await move("users", "e1", 9);
      await move("orders", "e1", 5);
      expect(await positionOf(store, "orders", "e1")).to.equal(5);
      expect(await positionOf(store, "orders", "e2")).to.equal(4);
      expect(await positionsOf(store, "orders")).to.deep.equal([
        { epoch: "e1", seq: 5 },
        { epoch: "e2", seq: 4 },
      ]);
      await store.close();
      expect(await positionOf(await openAgain(), "users", "e1")).to.equal(9);
    });

    it("move with the effect, or not at all", async () => {
      await move("orders", "e1", 1);
      const failing = store.write(function* (unit) {
        yield* store.cursors.move(unit, "orders", { epoch: "e1", seq: 2 });
        expect(yield* store.cursors.position(unit, "orders", "e1")).to.equal(2);
        throw new Error("of its own");
      });
      expect(await failing.catch((error: Error) => error.message)).to.equal("of its own");
      expect(await positionOf(store, "orders", "e1")).to.equal(1);
    });

    it("never move back", async () => {
      await move("orders", "e1", 5);
      expect(await move("orders", "e1", 4).catch((error: Error) => error.message)).to.contain("not before row 4");
      expect(await move("orders", "e1", 5).catch((error: Error) => error.message)).to.contain("not before row 5");
      expect(await positionOf(store, "orders", "e1")).to.equal(5);
    });

    it("count the tries of a row, on disk, until it is passed", async () => {
      const row = { epoch: "e1", seq: 2 };
      expect(await store.cursors.countAttempt("orders", row)).to.equal(1);
      await store.close();
      store = await openAgain();
      expect(await store.cursors.countAttempt("orders", row)).to.equal(2);
      expect(await store.cursors.countAttempt("orders", { epoch: "e1", seq: 3 })).to.equal(1);
      expect(await store.cursors.countAttempt("users", row)).to.equal(1);
      await move("orders", "e1", 2);
      expect(await store.cursors.countAttempt("orders", row)).to.equal(1);
      expect(await store.cursors.countAttempt("orders", { epoch: "e1", seq: 3 })).to.equal(2);
      expect(await store.cursors.countAttempt("users", row)).to.equal(2);
    });

    it("keep what could not be applied, until it is taken out", async () => {
      store = await openAgain({ now: () => Date.UTC(2025, 0, 2) });
      await store.write((unit) => store.cursors.bury(unit, letter));
      const [buried] = await store.cursors.deadLetters();
      expect(buried).to.deep.equal({ id: buried?.id, ...letter, failedAt: "2025-01-02T00:00:00.000Z" });
      const id = uuidv7.parse(buried?.id);
      expect(await store.write((unit) => store.cursors.unbury(unit, ANOTHER_ID))).to.equal(undefined);
      expect(await store.write((unit) => store.cursors.unbury(unit, id))).to.deep.equal(buried);
      expect(await store.write((unit) => store.cursors.unbury(unit, id))).to.equal(undefined);
      expect(await store.cursors.deadLetters()).to.deep.equal([]);
    });

    it("list dead letters newest first, from any on, as many as asked for", async () => {
      for (const seq of [1, 2, 3, 4]) {
        const letter = { publisher: "orders", position: { epoch: "e1", seq }, event, error: "no", attempts: 5 };
        await store.write((unit) => store.cursors.bury(unit, letter));
      }
      const seqs = async (before?: string, limit?: number) =>
        (await store.cursors.deadLetters(before, limit)).map(({ position }) => position.seq);
      expect(await seqs()).to.deep.equal([4, 3, 2, 1]);
      const third = (await store.cursors.deadLetters())[1]?.id;
      expect(await seqs(third)).to.deep.equal([2, 1]);
      expect(await seqs(third, 1)).to.deep.equal([2]);
    });

    it("note that a dead letter failed again", async () => {
      let nowMs = Date.UTC(2025, 0, 2);
      store = await openAgain({ now: () => nowMs });
      const letter = { publisher: "orders", position: { epoch: "e1", seq: 7 }, event, error: "first", attempts: 5 };
      await store.write((unit) => store.cursors.bury(unit, letter));
      const [before] = await store.cursors.deadLetters();
      nowMs += 1_000;
      await store.write((unit) => store.cursors.failAgain(unit, before?.id ?? "", "second"));
      const failed = { ...before, error: "second", attempts: 6, failedAt: "2025-01-02T00:00:01.000Z" };
      expect(await store.cursors.deadLetters()).to.deep.equal([failed]);
    });

    it("take a dead letter out only together with what applies it", async () => {
      await store.write((unit) => store.cursors.bury(unit, letter));
      const [buried] = await store.cursors.deadLetters();
      const replay = store.write(function* (unit) {
        yield* store.cursors.unbury(unit, buried?.id ?? "");
        throw new Error("still poison");
      });
      expect(await replay.catch((error: Error) => error.message)).to.equal("still poison");
      expect(await store.cursors.deadLetters()).to.have.length(1);
    });
  });
}

function positionOf(store: Store, publisher: string, epoch: string): Promise<number> {
  return store.read((reading) => store.cursors.position(reading, publisher, epoch));
}

function positionsOf(store: Store, publisher: string): Promise<Position[]> {
  return store.read((reading) => store.cursors.positions(reading, publisher));
}
