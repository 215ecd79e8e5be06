import { existsSync, statSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { sql } from "../../src/store/sql.ts";
import { addNote, noteIds, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

/** A disk that is as slow as the test wants, and fails when it says so. */
class SlowDisk {
  #syncs: ((error: Error | null) => void)[] = [];

  readonly sync = (_log: number, told: (error: Error | null) => void): void => {
    this.#syncs.push(told);
  };

  get waiting(): number {
    return this.#syncs.length;
  }

  /** Ends the sync under way, as soon as there is one. */
  async end(error: Error | null = null): Promise<void> {
    while (this.#syncs.length === 0) await nextTurn();
    this.#syncs.shift()?.(error);
    await nextTurn();
  }
}

describe("what is not on disk yet", () => {
  let temporary: TemporaryStore;
  let disk: SlowDisk;
  let store: SqliteStore;
  let told: string[];
  let distrusted: string[];

  beforeEach(() => {
    temporary = temporaryStore();
    disk = new SlowDisk();
    distrusted = [];
    store = temporary.open({ sync: disk.sync, onDistrust: (reason) => distrusted.push(reason) });
    told = [];
    store.log.onAppended((entries) => told.push(...entries.map(({ seq }) => `event ${seq}`)));
  });
  afterEach(() => temporary.dispose());

  /** Notes what is told, in its order. */
  function tell(name: string, outcome: Promise<unknown>): void {
    outcome.then(
      () => told.push(name),
      ({ code, options }) => told.push(`${name}: ${code} ${options.extensions?.outcome ?? "-"}`),
    );
  }

  const count = () => store.read((reading) => reading.all(sql`SELECT id FROM notes`));

  async function underWay(): Promise<void> {
    while (disk.waiting === 0) await nextTurn();
  }

  it("is told to nobody: not who wrote it, nor who hears of events", async () => {
    tell("written", store.write(addNote("a")));
    await underWay();
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(told).to.deep.equal([]);
    expect(noteIds(store), "it is committed").to.deep.equal(["a"]);
    await disk.end();
    expect(told).to.have.members(["written", "event 1"]);
  });

  it("is not shown to who reads it, before it is; what is on disk already is", async () => {
    tell("before", count());
    await nextTurn();
    tell("written", store.write(addNote("a")));
    await underWay();
    tell("after", count());
    tell(
      "failure",
      store.read(function* () {
        throw Object.assign(new Error("of what it found"), { code: "found", options: {} });
      }),
    );
    await nextTurn();
    expect(told).to.deep.equal(["before"]);
    await disk.end();
    expect(told).to.have.members(["before", "written", "event 1", "after", "failure: found -"]);
    tell("later", count());
    await nextTurn();
    expect(told).to.include("later");
  });

  it("holds up nobody: who comes meanwhile goes in the next group, which begins when it has ended", async () => {
    tell("first", store.write(addNote("a")));
    await underWay();
    for (const id of ["b", "c"]) tell(id, store.write(addNote(id)));
    await nextTurn();
    expect(noteIds(store)).to.deep.equal(["a"]);
    await disk.end();
    await underWay();
    expect(noteIds(store)).to.deep.equal(["a", "b", "c"]);
    expect(told).to.have.members(["first", "event 1"]);
    await disk.end();
    expect(told).to.have.members(["first", "event 1", "b", "c", "event 2", "event 3"]);
  });

  it("is waited for by who closes the store", async () => {
    tell("written", store.write(addNote("a")));
    await underWay();
    tell("waiting", store.write(addNote("b")));
    tell("closed", store.close());
    await nextTurn();
    expect(told).to.deep.equal([]);
    await disk.end();
    await disk.end();
    while (!told.includes("closed")) await nextTurn();
    expect(told).to.have.members(["written", "waiting", "closed", "event 1", "event 2"]);
    expect(existsSync(`${temporary.file}-wal`)).to.equal(false);
  });

  it("may have happened, where its sync fails; then nothing is written, read, told or moved any more", async () => {
    tell("written", store.write(addNote("a")));
    await underWay();
    tell("read", count());
    tell("waiting", store.write(addNote("b")));
    await disk.end(Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" }));
    tell("written later", store.write(addNote("c")));
    tell("read later", count());
    await nextTurn();
    expect(told).to.have.members([
      "written: dependency-unavailable unknown",
      "read: dependency-unavailable -",
      "waiting: dependency-unavailable -",
      "written later: dependency-unavailable -",
      "read later: dependency-unavailable -",
    ]);
    expect(noteIds(store), "the rows stay, to be judged by who opens it").to.deep.equal(["a"]);
    expect(store.fault()).to.contain("EIO");
    expect(distrusted).to.have.length(1);
    expect(distrusted[0]).to.match(/^notes: .*notes\.db is not trusted any more: EIO/);
    expect(await store.emptyLog()).to.equal(false);
    const size = statSync(`${temporary.file}-wal`).size;
    await store.close();
    expect(statSync(`${temporary.file}-wal`).size, "the log is left as it is").to.equal(size);
  });

  it("is judged by its sums and brought to the disk by who opens the database anew", async () => {
    tell("written", store.write(addNote("a")));
    await underWay();
    await disk.end(new Error("EIO"));
    await store.close();
    const next = temporary.open();
    expect(noteIds(next)).to.deep.equal(["a"]);
    expect(statSync(`${temporary.file}-wal`).size, "all of it is in the database").to.equal(0);
  });
});
