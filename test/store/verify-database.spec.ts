import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { verifyDatabase } from "../../src/store/engines/sqlite/verify-database.ts";
import { StoreRefusal } from "../../src/store/refusal.ts";
import { addNote, NOTES_MIGRATIONS, STORE_VERSION, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

describe("verifying a database", () => {
  let temporary: TemporaryStore;
  const verify = (file = temporary.file) => verifyDatabase({ name: "notes", file }, NOTES_MIGRATIONS);

  beforeEach(async () => {
    temporary = temporaryStore();
    const store = temporary.open({ randomEpoch: () => "e1" });
    for (const id of ["one", "two", "three"]) await store.write(addNote(id));
    await store.close();
    const again = temporary.open({ randomEpoch: () => "e2" });
    await again.write(addNote("four"));
    await again.close();
  });
  afterEach(() => temporary.dispose());

  /** Does something to it that the store never would. */
  function spoil(sql: string): void {
    const database = new Database(temporary.file);
    database.pragma("foreign_keys = OFF");
    database.unsafeMode();
    database.exec(sql);
    database.close();
  }

  it("tells its schema and the head of its log", () => {
    expect(verify()).to.deep.equal({ schema: `${STORE_VERSION}.1`, logHead: { epoch: "e2", seq: 4 } });
  });

  it("takes one that has said nothing", async () => {
    const file = join(temporary.folder, "empty.db");
    await temporary.open({ file }).close();
    expect(verify(file)).to.deep.equal({ schema: `${STORE_VERSION}.1`, logHead: null });
  });

  const SPOILT: Readonly<Record<string, readonly [sql: string, told: RegExp]>> = {
    "a newer schema": [
      `PRAGMA user_version = ${STORE_VERSION * 1_000 + 2}; UPDATE oldest_code SET version = 2 WHERE part = 'module'`,
      new RegExp(`has schema ${STORE_VERSION}\\.2, newer than the ${STORE_VERSION}\\.1 that this version knows`),
    ],
    "a log with a gap": ["DELETE FROM outbox WHERE seq = 2", /has a log that does not connect at row 3/],
    "a log whose epochs do not connect": [
      "UPDATE outbox SET previous_epoch = 'e0' WHERE seq = 4",
      /has a log that does not connect at row 4/,
    ],
    "a row that refers to none": [
      "CREATE TABLE replies (note TEXT REFERENCES notes (id)); INSERT INTO replies VALUES ('no such note')",
      /is corrupt: rows of replies refer to rows that are not there/,
    ],
    "an index that lacks a row": [
      `CREATE INDEX notes_by_text ON notes (text); PRAGMA writable_schema = ON;
       UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'attempts') WHERE name = 'notes_by_text'`,
      /is corrupt: /,
    ],
  };
  for (const [what, [sql, told]] of Object.entries(SPOILT)) {
    it(`refuses ${what}`, () => {
      spoil(sql);
      expect(() => verify()).to.throw(StoreRefusal, told);
      expect(() => verify()).to.throw(/^notes: .*notes\.db /);
    });
  }

  it("refuses what is not there, is no database, or has a damaged page", () => {
    expect(() => verify(join(temporary.folder, "absent.db"))).to.throw(StoreRefusal, /absent\.db cannot be read: /);
    const text = join(temporary.folder, "text.db");
    writeFileSync(text, "not a database, but long enough to be looked at as one ".repeat(100));
    expect(() => verify(text)).to.throw(StoreRefusal, /text\.db cannot be read: file is not a database/);
    const torn = join(temporary.folder, "torn.db");
    copyFileSync(temporary.file, torn);
    writeFileSync(torn, Buffer.alloc(8_192, 0x5a), { flag: "r+" }); // all but the header is still there
    expect(() => verify(torn)).to.throw(StoreRefusal);
  });
});
