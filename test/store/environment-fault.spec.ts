import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import Database from "better-sqlite3";
import { expect } from "chai";
import { Problem } from "../../src/base/problem.ts";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { isDatabaseFault } from "../../src/store/engines/sqlite/sqlite-fault.ts";
import { isEnvironmentFault } from "../../src/store/environment-fault.ts";
import { fillUp, smallDisk } from "../support/disk/small-disk.ts";
import { until } from "../support/process.ts";
import { addNote, noteIds, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

const TEXT = "x".repeat(1_000);

describe("a fault of the environment", () => {
  let used: TemporaryStore | undefined;
  let store: SqliteStore;
  let nowMs = 0;

  const useStore = (folder?: string) => {
    used = temporaryStore(folder);
    store = used.open({ now: () => nowMs });
    return used;
  };
  let unmount: (() => void) | undefined;

  afterEach(async () => {
    await used?.dispose();
    unmount?.();
    unmount = undefined;
  });

  it("loses no acknowledged row when the database may not grow, and passes without reopening", async () => {
    const temporary = useStore();
    const limit = (pages: number) => store.prepare(`PRAGMA max_page_count = ${pages}`).get();
    limit(60);
    const acknowledged = await writeUntilFull(store);
    await expectOnlyAcknowledged(store, acknowledged);
    expect(store.fault()).to.contain("SQLITE_FULL");
    limit(1_000_000);
    await store.write(addNote("zz after", TEXT));
    expect(store.fault()).to.equal(undefined);
    await expectOnlyAcknowledged(store, [...acknowledged, "zz after"]);
    await store.close();
    await expectOnlyAcknowledged(temporary.open(), [...acknowledged, "zz after"]);
  });

  it("is what SQLite says when all its space is taken away on purpose, until that is given back", async () => {
    useStore();
    await store.write(addNote("a before", TEXT));
    const giveBack = store.fillUp?.();
    const filler = "x".repeat(100_000); // more than the pages that there are have left
    const refused = await store.write(addNote("b refused", filler)).catch((error: unknown) => error);
    expect(refused).to.include({ code: "storage-full" });
    expect(store.fault()).to.contain("SQLITE_FULL");
    giveBack?.();
    await store.write(addNote("c after", filler));
    expect(store.fault()).to.equal(undefined);
    await expectOnlyAcknowledged(store, ["a before", "c after"]);
  });

  it("loses no acknowledged row on a full disk, and passes when there is space again", async function () {
    const disk = smallDisk();
    if ("reason" in disk) {
      if (this.test !== undefined) this.test.title += ` (skipped: ${disk.reason})`;
      this.skip();
    }
    unmount = disk.unmount;
    const filler = join(disk.folder, "filler");
    writeFileSync(filler, Buffer.alloc(1_000_000));
    const temporary = useStore(join(disk.folder, "store"));
    const acknowledged = await writeUntilFull(store);
    fillUp(join(disk.folder, "rest"));
    acknowledged.push(...(await writeSmallUntilFull(store))); // what a group that failed has left in the log
    await expectOnlyAcknowledged(store, acknowledged);
    nowMs += 1_000;
    expect(store.fault()).to.be.a("string");
    await nextTurn();
    expect(store.fault(), "still full").to.be.a("string");
    rmSync(filler);
    nowMs += 1_000;
    expect(store.fault()).to.be.a("string");
    await until("the fault has passed: nobody wrote, but somebody asked", () => store.fault() === undefined);
    await store.write(addNote("zz after", TEXT));
    await expectOnlyAcknowledged(store, [...acknowledged, "zz after"]);
    await store.close();
    await expectOnlyAcknowledged(temporary.open(), [...acknowledged, "zz after"]);
  });

  it("is a problem that may be tried again, rejects the whole group, and keeps its cause", async () => {
    const temporary = useStore();
    const unlock = lock(store, temporary.file);
    const writes = ["a", "b"].map((id) => store.write(addNote(id)));
    const outcomes = await Promise.allSettled(writes);
    for (const outcome of outcomes) {
      expect(outcome).to.have.nested.property("reason.code", "dependency-unavailable");
      expect(outcome).to.have.nested.property("reason.options.retryAfterSeconds", 1);
      expect(outcome).to.have.nested.property("reason.cause.code", "SQLITE_BUSY");
    }
    expect(store.fault()).to.contain("SQLITE_BUSY");
    unlock();
    await store.write(addNote("c"));
    expect(noteIds(store)).to.deep.equal(["c"]);
    expect(store.fault()).to.equal(undefined);
  });

  it("rejects the whole group also when it leaves the transaction standing", async () => {
    useStore();
    const queryOnly = (on: boolean) => store.prepare(`PRAGMA query_only = ${on}`).run();
    const outcomes = await Promise.allSettled([
      store.write(addNote("a")),
      store.write(function* (unit) {
        queryOnly(true);
        yield* addNote("b")(unit);
      }),
      store.write(addNote("c")),
    ]);
    queryOnly(false);
    for (const outcome of outcomes) expect(outcome).to.have.nested.property("reason.cause.code", "SQLITE_READONLY");
    await store.write(addNote("d"));
    expect(noteIds(store)).to.deep.equal(["d"]);
  });

  it("is tried again when it is asked for, but not at every question", async () => {
    const temporary = useStore();
    const unlock = lock(store, temporary.file);
    await store.write(addNote("a")).catch(() => undefined);
    unlock();
    store.fault();
    await nextTurn();
    expect(store.fault(), "too soon to try").to.contain("SQLITE_BUSY");
    nowMs -= 3_600_000; // the clock is set back
    await until("the fault has passed", () => store.fault() === undefined);
  });

  it("is a schema that newer code has changed meanwhile: this process must stop, not call its events poison", async () => {
    const temporary = useStore();
    const add = addNote("a");
    const newer = new Database(temporary.file);
    newer.exec("ALTER TABLE notes RENAME TO remarks");
    const problem = await store.write(add).catch((error: unknown) => error);
    expect(problem).to.include({ code: "dependency-unavailable" });
    expect(isEnvironmentFault(problem)).to.equal(true);
    expect(store.fault()).to.contain("no such table");
    newer.exec("ALTER TABLE remarks RENAME TO notes");
    newer.close();
    await store.write(add);
    expect(noteIds(store)).to.deep.equal(["a"]);
  });

  it("is told from poison, wrapped or not", async () => {
    const temporary = useStore();
    const unlock = lock(store, temporary.file);
    const problem = await store.write(addNote("a")).catch((error: unknown) => error);
    unlock();
    expect(isEnvironmentFault(problem)).to.equal(true);
    expect(isEnvironmentFault(new Error("wrapped", { cause: problem }))).to.equal(true);
    expect(isEnvironmentFault(new Problem("storage-full", "full"))).to.equal(true);
    expect(isEnvironmentFault(new Problem("not-found", "poison"))).to.equal(false);
    for (const code of ["SQLITE_IOERR_FSYNC", "SQLITE_CORRUPT_VTAB", "SQLITE_FULL", "SQLITE_READONLY_DBMOVED"]) {
      expect(isDatabaseFault(new Database.SqliteError("fault", code)), code).to.equal(true);
    }
    for (const code of ["SQLITE_CONSTRAINT_CHECK", "SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_FULLY"]) {
      expect(isDatabaseFault(new Database.SqliteError("poison", code)), code).to.equal(false);
    }
    await store.close();
    const late = await store.write(function* () {}).catch((error: unknown) => error);
    expect(isEnvironmentFault(late), "closing").to.equal(true);
  });
});

/** Writes in groups until groups fail for want of space. Resolves the ids that were acknowledged. */
async function writeUntilFull(store: SqliteStore): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let group = 0, failures = 0; failures < 3; group++) {
    const ids = Array.from({ length: 10 }, (_, i) => `${String(group).padStart(4, "0")}-${i}`);
    const outcomes = await Promise.allSettled(ids.map((id) => store.write(addNote(id, TEXT))));
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused.map(({ reason }) => reason.code)).to.deep.equal(Array(refused.length).fill("storage-full"));
    acknowledged.push(...ids.filter((_, i) => outcomes[i]?.status === "fulfilled"));
    if (refused.length > 0) failures++;
    expect(group, "the disk never filled").to.be.lessThan(5_000);
  }
  expect(acknowledged).not.to.deep.equal([]);
  return acknowledged;
}

/** Writes small rows until not even nothing can be written. Resolves the ids that were acknowledged. */
async function writeSmallUntilFull(store: SqliteStore): Promise<string[]> {
  const acknowledged: string[] = [];
  const isDone = (write: Promise<unknown>) =>
    write.then(
      () => true,
      () => false,
    );
  for (let n = 0; n < 5_000; n++) {
    const id = `y-${String(n).padStart(4, "0")}`;
    const isWritten = await isDone(store.write(addNote(id, "small")));
    if (isWritten) acknowledged.push(id);
    if (!(await isDone(store.write(function* () {}))) && !isWritten) return acknowledged;
  }
  throw new Error("the disk never filled");
}

async function expectOnlyAcknowledged(store: SqliteStore, acknowledged: readonly string[]): Promise<void> {
  expect(noteIds(store)).to.deep.equal(acknowledged);
  const rows = await store.log.readAfter(0, 100_000);
  expect(rows.map(({ seq }) => seq)).to.deep.equal(acknowledged.map((_, i) => i + 1));
  expect(rows.map(({ event }) => JSON.parse(event).subject)).to.deep.equal(acknowledged);
}

/** Holds the write lock as another process would. Returns the way to let it go. */
function lock(store: SqliteStore, file: string): () => void {
  store.prepare("PRAGMA busy_timeout = 0").get();
  const other = new Database(file);
  other.exec("BEGIN IMMEDIATE");
  return () => {
    other.exec("ROLLBACK");
    other.close();
  };
}
