import { randomUUID } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { expect } from "chai";
import { migrate, readSchema } from "../../src/store/engines/sqlite/migrations.ts";
import { openStore } from "../../src/store/engines/sqlite/open-store.ts";
import { StoreRefusal } from "../../src/store/refusal.ts";
import { describeOpening, type Opening } from "../../src/store/schema-state.ts";
import {
  addNote,
  NOTES_MIGRATIONS,
  noteIds,
  STORE_VERSION,
  type TemporaryStore,
  temporaryStore,
} from "./temporary-store.ts";

describe("opening a store", () => {
  let temporary: TemporaryStore;

  beforeEach(() => {
    temporary = temporaryStore();
  });
  afterEach(() => temporary.dispose());

  it("makes the folder and the file, and finds what was written before", async () => {
    const file = join(temporary.folder, "a", "b", "notes.db");
    const first = temporary.open({ file });
    await first.write(addNote("a"));
    await first.close();
    expect(noteIds(temporary.open({ file }))).to.deep.equal(["a"]);
  });

  it("has one seat at every opening, which no copy has, and no machine that was set up alike", async () => {
    const first = temporary.open();
    await first.close();
    const copy = join(temporary.folder, "copy.db");
    copyFileSync(temporary.file, copy);
    const { seat } = temporary.open();
    expect(seat).to.equal(first.seat);
    expect(temporary.open({ file: copy }).seat).not.to.equal(seat);
    if (process.platform !== "linux") return;
    const start = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    expect(seat, "names this start of the system").to.contain(start);
  });

  it("opens in memory", async () => {
    const store = temporary.open({ file: ":memory:" });
    await store.write(addNote("a"));
    expect(noteIds(store)).to.deep.equal(["a"]);
    expect(existsSync(":memory:")).to.equal(false);
  });

  it("writes ahead, leaves syncs and checkpoints to who does not hold up others, and keeps foreign keys, at every opening", async () => {
    for (let opening = 0; opening < 2; opening++) {
      const store = temporary.open();
      const pragma = (name: string) => store.prepare<[], unknown>(`PRAGMA ${name}`).pluck().get();
      expect(pragma("journal_mode")).to.equal("wal");
      expect(pragma("synchronous")).to.equal(1);
      expect(pragma("wal_autocheckpoint")).to.equal(0);
      expect(pragma("foreign_keys")).to.equal(1);
      await store.close();
    }
  });

  it("counts the schemas of store and module in one version", async () => {
    const store = temporary.open();
    const version = () => store.prepare<[], unknown>("PRAGMA user_version").pluck().get();
    expect(version()).to.equal(STORE_VERSION * 1_000 + 1);
    await store.write(addNote("a"));
    expect(version()).to.equal(STORE_VERSION * 1_000 + 1);
  });

  it("applies only the migrations that are missing", async () => {
    const before = temporary.open();
    await before.write(addNote("a"));
    await before.close();
    const migrations = migrationsWith(temporary, "0002-titles.sql", "ALTER TABLE notes ADD COLUMN title TEXT");
    const after = temporary.open({ migrations });
    expect(after.prepare("SELECT * FROM notes").all()).to.deep.equal([{ id: "a", text: "text", title: null }]);
    expect(after.prepare<[], unknown>("PRAGMA user_version").pluck().get()).to.equal(STORE_VERSION * 1_000 + 2);
  });

  it("applies a migration once when two processes begin at the same time", async () => {
    await temporary.open().close();
    const database = new Database(temporary.file);
    const migrations = migrationsWith(temporary, "0002-tags.sql", "CREATE TABLE IF NOT EXISTS tags (id TEXT)");
    const schema = readSchema(migrations);
    const begin = database.transaction.bind(database);
    let raced = false;
    // What the other does between this one's look at the version and its transaction.
    database.transaction = ((work: () => void) => {
      if (!raced) temporary.open({ migrations });
      raced = true;
      return begin(work);
    }) as typeof database.transaction;
    migrate(database, schema);
    expect(raced).to.equal(true);
    expect(database.pragma("user_version", { simple: true })).to.equal(STORE_VERSION * 1_000 + 2);
    database.close();
  });

  it("applies a migration whole or not at all", async () => {
    await temporary.open().close();
    const sql = "CREATE TABLE half (id TEXT); INSERT INTO nowhere VALUES (1)";
    const migrations = migrationsWith(temporary, "0002-half.sql", sql);
    expect(() => temporary.open({ migrations })).to.throw(StoreRefusal, "0002-half.sql: no such table: nowhere");
    const store = temporary.open();
    expect(store.prepare("SELECT name FROM sqlite_schema WHERE name = 'half'").all()).to.deep.equal([]);
    expect(store.prepare<[], unknown>("PRAGMA user_version").pluck().get()).to.equal(STORE_VERSION * 1_000 + 1);
  });

  it("goes on where a kill has cut the first opening short", async () => {
    const { store } = readSchema(NOTES_MIGRATIONS);
    for (let applied = 1; applied <= store.length; applied += 1) {
      const file = join(temporary.folder, `cut-${applied}.db`);
      const database = new Database(file);
      migrate(database, { store: store.slice(0, applied), module: [] });
      database.close();
      expect(noteIds(temporary.open({ file })), `after ${applied}`).to.deep.equal([]);
    }
  });

  it("refuses a database of another program, even if a table has the same name, and leaves every byte", () => {
    const database = new Database(temporary.file);
    database.exec("CREATE TABLE notes (body TEXT)");
    database.close();
    refusesUntouched(temporary, /^notes: \S+ is not a database of notes$/);
  });

  it("refuses migrations that are out of sequence", () => {
    const migrations = migrationsWith(temporary, "0003-gap.sql", "SELECT 1");
    expect(() => temporary.open({ migrations })).to.throw("0003-gap.sql is out of sequence");
  });

  for (const [whose, version] of [
    ["module", STORE_VERSION * 1_000 + 2],
    ["store", (STORE_VERSION + 1) * 1_000 + 1],
  ] as const) {
    it(`refuses a schema whose ${whose} is of newer code that lets no other use it, and leaves every byte`, async () => {
      await temporary.open().close();
      const database = new Database(temporary.file);
      database.exec(`PRAGMA user_version = ${version}; DROP TABLE oldest_code`); // as code did that did not know of it
      database.close();
      const known = `${STORE_VERSION}\\.1`;
      refusesUntouched(
        temporary,
        new RegExp(
          `^notes: \\S+ has schema (\\d\\.\\d), newer than the ${known} that this version knows, and takes \\1 at least: `,
        ),
      );
    });
  }

  it("lets older code use what newer code has only added to, until a migration leaves it behind", async () => {
    await temporary.open().close();
    const opening = async (migrations?: URL) => {
      let told = "";
      const onOpened = (opened: Opening) => {
        told = describeOpening(opened).replace(/^\w+ .*, /, "");
      };
      const store = temporary.open({ ...(migrations && { migrations }), onOpened });
      await store.write(addNote(randomUUID()));
      await store.close();
      return told;
    };
    const tag = "-- For later.\n-- Oldest code: 0001\nALTER TABLE notes ADD COLUMN tag TEXT";
    const migrations = migrationsWith(temporary, "0002-tag.sql", tag);
    expect(await opening(migrations)).to.equal(`migrated from ${STORE_VERSION}.1`);
    expect(await opening()).to.equal(`while this code knows ${STORE_VERSION}.1`);
    expect(await opening(migrations)).to.equal(`version ${STORE_VERSION}.2`);
    const file = join(fileURLToPath(migrations), "0003-other.sql");
    writeFileSync(file, "-- Oldest code: 0002\nCREATE TABLE other (id TEXT)");
    await opening(migrations);
    const refusal = / has schema \d\.3, .* and takes \d\.2 at least: start a newer version$/;
    expect(() => temporary.open()).to.throw(StoreRefusal, refusal);
    rmSync(file);
    expect(await opening(migrations)).to.equal(`while this code knows ${STORE_VERSION}.2`);
  });

  it("refuses migrations that say what cannot be of their oldest code", () => {
    const migrations = migrationsWith(temporary, "0002-tag.sql", "-- Oldest code: 0003\nSELECT 1");
    expect(() => temporary.open({ migrations })).to.throw(
      "0002-tag.sql says `Oldest code: 0003`: expected four digits",
    );
  });

  it("changes nothing where it is not to migrate", async () => {
    expect(() => temporary.open({ migrates: false })).to.throw(
      StoreRefusal,
      "is not there: `npm run migrate` makes it",
    );
    expect(readdirSync(temporary.folder)).to.deep.equal([]);
    await temporary.open().close();
    await temporary.open({ migrates: false }).close();
    const before = readFileSync(temporary.file);
    const migrations = migrationsWith(temporary, "0002-more.sql", "CREATE TABLE more (id TEXT)");
    const refusal = /has schema \d\.1, this needs \d\.2: `npm run migrate` brings it there$/;
    expect(() => temporary.open({ migrations, migrates: false })).to.throw(StoreRefusal, refusal);
    expect(readFileSync(temporary.file).equals(before)).to.equal(true);
  });

  it("leaves the write-ahead log of a crashed newer process where it is", async () => {
    const folder = join(temporary.folder, "crashed");
    mkdirSync(folder);
    await temporary.open().close();
    const database = new Database(temporary.file);
    database.exec("PRAGMA user_version = 9001; UPDATE oldest_code SET version = 9 WHERE part = 'store'");
    // What a crash leaves behind: the file, and a log that is not moved into it yet.
    const [file, log] = ["notes.db", "notes.db-wal"].map((name) => readFileSync(join(temporary.folder, name)));
    database.close();
    writeFileSync(join(folder, "notes.db"), file ?? "");
    writeFileSync(join(folder, "notes.db-wal"), log ?? "");
    expect(log?.length).to.be.greaterThan(0);
    expect(() => temporary.open({ file: join(folder, "notes.db") })).to.throw(StoreRefusal, "newer");
    expect(readFileSync(join(folder, "notes.db")).equals(file ?? Buffer.of())).to.equal(true);
    expect(readFileSync(join(folder, "notes.db-wal")).equals(log ?? Buffer.of())).to.equal(true);
  });

  it("refuses a file that is not a database, and leaves every byte", () => {
    writeFileSync(temporary.file, "A diary, and not a database at all.\n".repeat(500));
    refusesUntouched(temporary, /^notes: \S+ cannot be opened: file is not a database \(SQLITE_NOTADB\)$/);
  });

  it("refuses a corrupt database, and leaves every byte", async () => {
    const store = temporary.open();
    const writes = Array.from({ length: 200 }, (_, i) => store.write(addNote(String(i), "x".repeat(500))));
    await Promise.all(writes);
    await store.close();
    const bytes = readFileSync(temporary.file);
    bytes.fill(0xa5, 4096 * 8, 4096 * 20);
    writeFileSync(temporary.file, bytes);
    refusesUntouched(temporary, /^notes: \S+ (is corrupt|cannot be opened): [^\n]+$/);
  });

  it("refuses a folder that cannot be made", () => {
    writeFileSync(join(temporary.folder, "file"), "in the way");
    const file = join(temporary.folder, "file", "notes.db");
    const open = () => openStore({ name: "notes", file, migrations: NOTES_MIGRATIONS });
    expect(open).to.throw(StoreRefusal, /^notes: \S+ cannot be opened: [^\n]*(EEXIST|ENOTDIR)[^\n]*$/);
  });

  it("refuses a folder where a file is expected", () => {
    mkdirSync(temporary.file);
    expect(() => temporary.open()).to.throw(StoreRefusal, /^notes: \S+ cannot be opened: [^\n]+$/);
  });

  it("refuses a folder that cannot be written", () => {
    // Nobody makes files under /sys, not even root.
    const folder = process.platform === "linux" ? "/sys" : join(temporary.folder, "readonly");
    if (folder !== "/sys") mkdirSync(folder, { mode: 0o500 });
    const open = () => openStore({ name: "notes", file: join(folder, "notes.db"), migrations: NOTES_MIGRATIONS });
    expect(open).to.throw(StoreRefusal, /^notes: \S+ cannot be opened: [^\n]+$/);
  });
});

/** The module's migrations and one more. */
function migrationsWith(temporary: TemporaryStore, name: string, sql: string): URL {
  const folder = join(temporary.folder, "migrations");
  mkdirSync(folder);
  const first = "0001-notes.sql";
  writeFileSync(join(folder, first), readFileSync(new URL(first, NOTES_MIGRATIONS)));
  writeFileSync(join(folder, name), sql);
  return pathToFileURL(folder);
}

function refusesUntouched(temporary: TemporaryStore, message: RegExp): void {
  const before = readFileSync(temporary.file);
  expect(() => temporary.open()).to.throw(StoreRefusal, message);
  expect(readFileSync(temporary.file).equals(before)).to.equal(true);
  expect(readdirSync(temporary.folder)).to.deep.equal(["notes.db"]);
}
