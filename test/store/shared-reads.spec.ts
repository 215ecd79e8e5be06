import Database from "better-sqlite3";
import { expect } from "chai";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { SharedReads } from "../../src/store/engines/sqlite/shared-reads.ts";
import { sql } from "../../src/store/sql.ts";
import { addNote, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

describe("reads of one turn", () => {
  let temporary: TemporaryStore;

  beforeEach(() => {
    temporary = temporaryStore();
  });
  afterEach(() => temporary.dispose());

  it("share a transaction that ends with the turn", async () => {
    const database = new Database(temporary.file);
    const turns: (() => void)[] = [];
    const reads = new SharedReads(database, (end) => turns.push(end));
    reads.begin();
    reads.begin();
    expect(database.inTransaction).to.equal(true);
    expect(turns).to.have.lengthOf(1);
    turns[0]?.();
    expect(database.inTransaction).to.equal(false);
    reads.begin();
    expect(turns).to.have.lengthOf(2);
    turns[1]?.();
    database.close();
  });

  it("are apart from work that has a transaction of its own, however that ends", () => {
    const database = new Database(temporary.file);
    const turns: (() => void)[] = [];
    const reads = new SharedReads(database, (end) => turns.push(end));
    reads.begin();
    const fail = () =>
      reads.pause(() => {
        expect(database.inTransaction).to.equal(false);
        reads.begin();
        expect(database.inTransaction, "a read within belongs to that work").to.equal(false);
        throw new Error("it failed");
      });
    expect(fail).to.throw("it failed");
    for (const end of turns) end();
    reads.begin();
    expect(database.inTransaction).to.equal(true);
    turns.at(-1)?.();
    database.close();
  });

  it("end quietly also when their end fails, and begin anew", () => {
    const database = new Database(temporary.file);
    const turns: (() => void)[] = [];
    const fails = { run: () => expect.fail("a page cannot be read") };
    const prepare = database.prepare.bind(database);
    database.prepare = ((sql: string) => (sql === "COMMIT" ? fails : prepare(sql))) as typeof database.prepare;
    const reads = new SharedReads(database, (end) => turns.push(end));
    for (let turn = 0; turn < 2; turn++) {
      reads.begin();
      expect(database.inTransaction).to.equal(true);
      turns[turn]?.();
      expect(database.inTransaction).to.equal(false);
    }
    database.close();
  });

  it("see what was committed before, by this process and, from the next turn on, by another", async () => {
    const store = temporary.open();
    const other = temporary.open();
    expect(await readIds(store)).to.deep.equal([]);
    await other.write(addNote("other"));
    await new Promise(setImmediate);
    expect(await readIds(store)).to.deep.equal(["other"]);
    const own = store.write(addNote("own"));
    expect(await readIds(store), "not committed yet").to.deep.equal(["other"]);
    await own;
    expect(await readIds(store)).to.deep.equal(["other", "own"]);
  });

  it("keep nobody from writing, and no store from closing", async () => {
    const store = temporary.open();
    const other = temporary.open();
    await readIds(store);
    await other.write(addNote("while a read is open"));
    await readIds(store);
    await store.write(addNote("after a read of the same turn"));
    await readIds(store);
    await store.close();
    expect(await readIds(other)).to.have.lengthOf(2);
  });
});

/** Reads in the transaction that the reads of a turn share. */
function readIds(store: SqliteStore): Promise<string[]> {
  return store.read(function* (reading) {
    const rows = yield* reading.all(sql<{ id: string }>`SELECT id FROM notes ORDER BY id`);
    return rows.map(({ id }) => id);
  });
}
