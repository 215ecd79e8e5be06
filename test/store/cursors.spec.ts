import { expect } from "chai";
import type { CloudEvent } from "../../src/contract/event.ts";
import type { Store } from "../../src/store/store.ts";
import { type TemporaryStore, temporaryStore } from "./temporary-store.ts";

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

describe("cursors", () => {
  let temporary: TemporaryStore;
  let store: Store;

  beforeEach(() => {
    temporary = temporaryStore();
    store = temporary.open();
  });
  afterEach(() => temporary.dispose());

  const move = (publisher: string, epoch: string, seq: number) =>
    store.write((unit) => store.cursors.move(unit, publisher, { epoch, seq }));

  it("stand at 0 before the first row", () => {
    expect(store.cursors.position("orders", "e1")).to.equal(0);
    expect(store.cursors.positions("orders")).to.deep.equal([]);
  });

  it("are kept per publisher and epoch, the epoch met last first", async () => {
    await move("orders", "e1", 3);
    await move("orders", "e2", 4);
    await move("users", "e1", 9);
    await move("orders", "e1", 5);
    expect(store.cursors.position("orders", "e1")).to.equal(5);
    expect(store.cursors.position("orders", "e2")).to.equal(4);
    expect(store.cursors.positions("orders")).to.deep.equal([
      { epoch: "e2", seq: 4 },
      { epoch: "e1", seq: 5 },
    ]);
    await store.close();
    expect(temporary.open().cursors.position("users", "e1")).to.equal(9);
  });

  it("move with the effect, or not at all", async () => {
    await move("orders", "e1", 1);
    const failing = store.write((unit) => {
      store.cursors.move(unit, "orders", { epoch: "e1", seq: 2 });
      expect(store.cursors.position("orders", "e1")).to.equal(2);
      throw new Error("of its own");
    });
    expect(await failing.catch((error: Error) => error.message)).to.equal("of its own");
    expect(store.cursors.position("orders", "e1")).to.equal(1);
  });

  it("never move back", async () => {
    await move("orders", "e1", 5);
    expect(await move("orders", "e1", 4).catch((error: Error) => error.message)).to.contain("beyond row 4");
    expect(store.cursors.position("orders", "e1")).to.equal(5);
  });

  it("move only inside a unit of work of their own store", async () => {
    const other = temporaryStore();
    try {
      const moving = other.open().write((unit) => store.cursors.move(unit, "orders", { epoch: "e1", seq: 1 }));
      expect(await moving.catch((error: Error) => error.message)).to.contain("not running in this store");
      expect(store.cursors.position("orders", "e1")).to.equal(0);
    } finally {
      await other.dispose();
    }
  });

  it("count the tries of a row, on disk, until it is passed", async () => {
    const row = { epoch: "e1", seq: 2 };
    expect(await store.cursors.countAttempt("orders", row)).to.equal(1);
    await store.close();
    store = temporary.open();
    expect(await store.cursors.countAttempt("orders", row)).to.equal(2);
    expect(await store.cursors.countAttempt("orders", { epoch: "e1", seq: 3 })).to.equal(1);
    expect(await store.cursors.countAttempt("users", row)).to.equal(1);
    await move("orders", "e1", 2);
    expect(await store.cursors.countAttempt("orders", row)).to.equal(1);
    expect(await store.cursors.countAttempt("orders", { epoch: "e1", seq: 3 })).to.equal(2);
    expect(await store.cursors.countAttempt("users", row)).to.equal(2);
  });

  it("keep what could not be applied, until it is taken out", async () => {
    store = temporary.open({ now: () => Date.UTC(2025, 0, 2) });
    const letter = {
      publisher: "orders",
      position: { epoch: "e1", seq: 7 },
      event,
      error: "no such order",
      attempts: 5,
    };
    await store.write((unit) => store.cursors.bury(unit, letter));
    const buried = { id: 1, ...letter, failedAt: "2025-01-02T00:00:00.000Z" };
    expect(store.cursors.deadLetters()).to.deep.equal([buried]);
    expect(await store.write((unit) => store.cursors.unbury(unit, 2))).to.equal(undefined);
    expect(await store.write((unit) => store.cursors.unbury(unit, 1))).to.deep.equal(buried);
    expect(store.cursors.deadLetters()).to.deep.equal([]);
    await store.write((unit) => store.cursors.bury(unit, letter));
    expect(store.cursors.deadLetters()[0]?.id).to.equal(2);
  });

  it("take a dead letter out only together with what applies it", async () => {
    const letter = {
      publisher: "orders",
      position: { epoch: "e1", seq: 7 },
      event,
      error: "no such order",
      attempts: 5,
    };
    await store.write((unit) => store.cursors.bury(unit, letter));
    const replay = store.write((unit) => {
      store.cursors.unbury(unit, 1);
      throw new Error("still poison");
    });
    expect(await replay.catch((error: Error) => error.message)).to.equal("still poison");
    expect(store.cursors.deadLetters()).to.have.length(1);
  });
});
