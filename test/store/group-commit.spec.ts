import { expect } from "chai";
import { isEnvironmentFault } from "../../src/store/environment-fault.ts";
import type { Store, UnitOfWork } from "../../src/store/store.ts";
import { addNote, noteAdded, noteIds, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

describe("group commit", () => {
  let temporary: TemporaryStore;
  let store: Store;

  beforeEach(() => {
    temporary = temporaryStore();
    store = temporary.open();
  });
  afterEach(() => temporary.dispose());

  it("resolves what the work answered, after the commit", async () => {
    const answered = store.write((unit) => {
      addNote(store, "a")(unit);
      return 42;
    });
    expect(noteIds(store)).to.deep.equal([]);
    expect(await answered).to.equal(42);
    expect(noteIds(store)).to.deep.equal(["a"]);
  });

  it("commits what waits together, in the order it came", async () => {
    const schedules: (() => void)[] = [];
    const manual = temporary.open({ schedule: (run) => schedules.push(run) });
    for (const end of schedules.splice(0)) end(); // of the reads when it was opened
    const appended: number[] = [];
    manual.log.onAppended((entries) => appended.push(entries.length));
    const writes = ["c", "a", "b"].map((id) => manual.write(addNote(manual, id)));
    expect(schedules).to.have.length(1);
    schedules[0]?.();
    await Promise.all(writes);
    expect(appended).to.deep.equal([3]);
    expect(manual.log.readAfter(0, 10).map(({ event }) => JSON.parse(event).subject)).to.deep.equal(["c", "a", "b"]);
  });

  it("bounds a group, and commits the rest in the next ones", async () => {
    const sizes: number[] = [];
    store.log.onAppended((entries) => sizes.push(entries.length));
    await Promise.all(Array.from({ length: 600 }, (_, i) => store.write(addNote(store, String(i)))));
    expect(sizes).to.deep.equal([256, 256, 88]);
  });

  it("keeps a failure to the unit of work that failed", async () => {
    const duplicate = (unit: UnitOfWork) => {
      addNote(store, "lost")(unit);
      addNote(store, "a")(unit);
    };
    const outcomes = await Promise.allSettled([
      store.write(addNote(store, "a")),
      store.write(duplicate),
      store.write(addNote(store, "b")),
      store.write(() => {
        throw new Error("of its own");
      }),
      store.write(addNote(store, "c")),
    ]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal([
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(outcomes[1]).to.have.nested.property("reason.code", "SQLITE_CONSTRAINT_PRIMARYKEY");
    expect(outcomes[3]).to.have.nested.property("reason.message", "of its own");
    expect(noteIds(store)).to.deep.equal(["a", "b", "c"]);
    expect(store.log.readAfter(0, 10).map(({ seq }) => seq)).to.deep.equal([1, 2, 3]);
    expect(store.fault()).to.equal(undefined);
  });

  it("tells a failure of the work from a fault of the environment", async () => {
    await store.write(addNote(store, "a"));
    const failure = await store.write(addNote(store, "a")).catch((error: unknown) => error);
    expect(isEnvironmentFault(failure)).to.equal(false);
    expect(isEnvironmentFault(new Error("of its own"))).to.equal(false);
  });

  it("refuses work that answers a promise, and undoes it", async () => {
    const failing = store.write(async (unit) => {
      addNote(store, "a")(unit);
      await Promise.resolve();
      throw new Error("too late for anybody to hear");
    });
    expect(await failing.catch((error: unknown) => error)).to.be.instanceOf(TypeError);
    expect(noteIds(store)).to.deep.equal([]);
  });

  it("refuses a unit of work once it has ended, also while another runs", async () => {
    let ended: UnitOfWork | undefined;
    await store.write((unit) => {
      ended = unit;
    });
    expect(() => ended?.append(noteAdded("a"))).to.throw("not running");
    const other = store.write(() => ended?.append(noteAdded("a")));
    expect(await other.catch((error: Error) => error.message)).to.contain("not running");
    expect(store.log.head()).to.equal(undefined);
  });

  it("ends the group when a unit of work ends the transaction, and tells nobody that it worked", async () => {
    const outcomes = await Promise.allSettled([
      store.write(addNote(store, "a")),
      store.write(() => store.prepare("ROLLBACK").run()),
      store.write(addNote(store, "b")),
    ]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["rejected", "rejected", "rejected"]);
    expect(noteIds(store)).to.deep.equal([]);
    await store.write(addNote(store, "c"));
    expect(store.fault()).to.equal(undefined);
    expect(noteIds(store)).to.deep.equal(["c"]);
    expect(store.log.head()).to.include({ seq: 1 });
  });

  it("lets a unit of work queue another one", async () => {
    let second: Promise<void> | undefined;
    await store.write(() => {
      second = store.write(addNote(store, "a"));
    });
    await second;
    expect(noteIds(store)).to.deep.equal(["a"]);
  });

  it("commits what waits on close, and refuses what comes later", async () => {
    const writes = Array.from({ length: 300 }, (_, i) => store.write(addNote(store, String(i))));
    const closed = store.close();
    const late = store.write(addNote(store, "late"));
    expect(await late.catch((error: unknown) => error)).to.have.property("code", "draining");
    await closed;
    await Promise.all(writes);
    expect(noteIds(temporary.open())).to.have.length(300);
    expect(store.close()).to.equal(closed);
  });
});
