import { readdirSync, readlinkSync } from "node:fs";
import { expect } from "chai";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { isEnvironmentFault } from "../../src/store/environment-fault.ts";
import { sql } from "../../src/store/sql.ts";
import type { Unit, Work } from "../../src/store/unit.ts";
import { addNote, noteAdded, noteIds, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

describe("group commit", () => {
  let temporary: TemporaryStore;
  let store: SqliteStore;

  beforeEach(() => {
    temporary = temporaryStore();
    store = temporary.open();
  });
  afterEach(() => temporary.dispose());

  it("resolves what the work answered, after the commit", async () => {
    const answered = store.write(function* (unit) {
      yield* addNote("a")(unit);
      return 42;
    });
    expect(noteIds(store)).to.deep.equal([]);
    expect(await answered).to.equal(42);
    expect(noteIds(store)).to.deep.equal(["a"]);
  });

  it("writes what a savepoint would bring back to no file", async function () {
    if (process.platform !== "linux") this.skip(); // which files are open, no other system tells so easily
    const ids = Array.from({ length: 100 }, (_, n) => String(n).padEnd(2_000));
    await Promise.all(ids.map((id) => store.write(addNote(id))));
    const before = openFiles();
    expect(before).to.include(temporary.file);
    const during = await store.write(function* (unit) {
      yield* unit.run(sql`UPDATE notes SET id = id || 'b'`);
      return openFiles();
    });
    expect(during).to.deep.equal(before);
  });

  it("commits what waits together, in the order it came", async () => {
    const schedules: (() => void)[] = [];
    const manual = temporary.open({ schedule: (run) => schedules.push(run) });
    for (const end of schedules.splice(0)) end(); // of the reads when it was opened
    const appended: number[] = [];
    manual.log.onAppended((entries) => appended.push(entries.length));
    const writes = ["c", "a", "b"].map((id) => manual.write(addNote(id)));
    expect(schedules).to.have.length(1);
    schedules[0]?.();
    await Promise.all(writes);
    expect(appended).to.deep.equal([3]);
    expect((await manual.log.readAfter(0, 10)).map(({ event }) => JSON.parse(event).subject)).to.deep.equal([
      "c",
      "a",
      "b",
    ]);
  });

  it("begins none before what each of a group has to tell beforehand is told", async () => {
    const happened: string[] = [];
    const write = (id: string) => {
      process.nextTick(() => happened.push(`${id} is told`));
      return store.write(function* (unit) {
        happened.push(`${id} begins`);
        yield* addNote(id)(unit);
      });
    };
    await Promise.all([write("a"), write("b")]);
    expect(happened).to.deep.equal(["a is told", "b is told", "a begins", "b begins"]);
  });

  it("bounds a group, and commits the rest in the next ones", async () => {
    const sizes: number[] = [];
    store.log.onAppended((entries) => sizes.push(entries.length));
    await Promise.all(Array.from({ length: 600 }, (_, i) => store.write(addNote(String(i)))));
    expect(sizes).to.deep.equal([256, 256, 88]);
  });

  it("keeps a failure to the unit of work that failed", async () => {
    const duplicate = function* (unit: Unit): Work<void> {
      yield* addNote("lost")(unit);
      yield* addNote("a")(unit);
    };
    const outcomes = await Promise.allSettled([
      store.write(addNote("a")),
      store.write(duplicate),
      store.write(addNote("b")),
      store.write(function* () {
        throw new Error("of its own");
      }),
      store.write(addNote("c")),
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
    expect((await store.log.readAfter(0, 10)).map(({ seq }) => seq)).to.deep.equal([1, 2, 3]);
    expect(store.fault()).to.equal(undefined);
  });

  it("tells a failure of the work from a fault of the environment", async () => {
    await store.write(addNote("a"));
    const failure = await store.write(addNote("a")).catch((error: unknown) => error);
    expect(isEnvironmentFault(failure)).to.equal(false);
    expect(isEnvironmentFault(new Error("of its own"))).to.equal(false);
  });

  it("refuses a unit of work once it has ended, also while another runs", async () => {
    let ended: Unit | undefined;
    await store.write(function* (unit) {
      ended = unit;
    });
    expect(() => ended?.append(noteAdded("a"))).to.throw("not running");
    const other = store.write(function* () {
      if (ended !== undefined) yield* ended.append(noteAdded("a"));
    });
    expect(await other.catch((error: Error) => error.message)).to.contain("not running");
    expect(await store.log.head()).to.equal(undefined);
  });

  it("ends the group when a unit of work ends the transaction, and tells nobody that it worked", async () => {
    const outcomes = await Promise.allSettled([
      store.write(addNote("a")),
      store.write((unit) => unit.run(sql`ROLLBACK`)),
      store.write(addNote("b")),
    ]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["rejected", "rejected", "rejected"]);
    expect(noteIds(store)).to.deep.equal([]);
    await store.write(addNote("c"));
    expect(store.fault()).to.equal(undefined);
    expect(noteIds(store)).to.deep.equal(["c"]);
    expect(await store.log.head()).to.include({ seq: 1 });
  });

  it("lets a unit of work queue another one", async () => {
    let second: Promise<void> | undefined;
    await store.write(function* () {
      second = store.write(addNote("a"));
    });
    await second;
    expect(noteIds(store)).to.deep.equal(["a"]);
  });

  it("commits what waits on close, and refuses what comes later", async () => {
    const writes = Array.from({ length: 300 }, (_, i) => store.write(addNote(String(i))));
    const closed = store.close();
    const late = store.write(addNote("late"));
    expect(await late.catch((error: unknown) => error)).to.have.property("code", "draining");
    await closed;
    await Promise.all(writes);
    expect(noteIds(temporary.open())).to.have.length(300);
    expect(store.close()).to.equal(closed);
  });
});

/** Paths of what this process has open, sorted: a temporary file, too, which is in no folder. */
function openFiles(): string[] {
  const paths = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // that of the folder itself
    }
  });
  return paths.sort();
}
