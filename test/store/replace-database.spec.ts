import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { lockDatabase, replaceDatabase } from "../../src/store/engines/sqlite/replace-database.ts";
import { StoreRefusal } from "../../src/store/refusal.ts";
import { addNote, noteIds, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

const WRITER = fileURLToPath(new URL("./writing-process.ts", import.meta.url));

describe("replacing a database", () => {
  let temporary: TemporaryStore;
  const inFolder = (name: string) => join(temporary.folder, name);
  const lock = () => lockDatabase({ name: "notes", file: temporary.file });

  beforeEach(() => {
    temporary = temporaryStore();
  });
  afterEach(() => temporary.dispose());

  it("puts a file in its place, and keeps what was there", async () => {
    await writeNotes("kept");
    copyFileSync(temporary.file, inFolder("incoming.db"));
    await writeNotes("later");
    const unlock = lock();
    replaceDatabase(temporary.file, inFolder("incoming.db"), inFolder("before.db"));
    unlock();
    expect(readdirSync(temporary.folder)).to.have.members(["notes.db", "before.db"]);
    expect(await readNotes(temporary.file)).to.deep.equal(["kept"]);
    expect(await readNotes(inFolder("before.db"))).to.deep.equal(["kept", "later"]);
  });

  it("is refused while a process has it open, be it idle, and changes nothing", async () => {
    const store = temporary.open();
    await store.write(addNote("one"));
    const before = readFileSync(temporary.file);
    expect(lock).to.throw(StoreRefusal, /notes: .*notes\.db is in use; stop its process first/);
    expect(readFileSync(temporary.file).equals(before)).to.equal(true);
    await store.write(addNote("two"));
    expect(noteIds(store)).to.deep.equal(["one", "two"]);
    await store.close();
    lock()();
  });

  it("lets nobody open it while it is locked", async () => {
    await writeNotes("one");
    const unlock = lock();
    expect(() => temporary.open()).to.throw(StoreRefusal, /locked/);
    unlock();
    expect(await readNotes(temporary.file)).to.deep.equal(["one"]);
  });

  it("keeps all that a killed process has acknowledged, what is beside the file included", async () => {
    const child = spawn(process.execPath, [WRITER, temporary.file, "killed"], { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    const acknowledged = String((await once(child.stdout, "data"))[0])
      .trim()
      .split("\n")
      .slice(0, -1);
    child.kill("SIGKILL");
    await exited;
    expect(existsSync(`${temporary.file}-wal`)).to.equal(true);
    writeFileSync(inFolder("incoming.db"), "");
    const unlock = lock();
    replaceDatabase(temporary.file, inFolder("incoming.db"), inFolder("before.db"));
    unlock();
    expect(readdirSync(temporary.folder)).to.have.members(["notes.db", "before.db"]);
    expect(await readNotes(inFolder("before.db"))).to.include.members(acknowledged);
  });

  it("takes a damaged file away, but not from beside a log that may be of a running process", () => {
    writeFileSync(temporary.file, "damaged ".repeat(1_000));
    lock()();
    writeFileSync(`${temporary.file}-wal`, "");
    expect(lock).to.throw(StoreRefusal, /cannot be locked, and there is .*-wal: stop its process, then move/);
  });

  it("needs no lock for what is not there, if nothing is beside its place", () => {
    lock()();
    expect(readdirSync(temporary.folder)).to.deep.equal([]);
    writeFileSync(`${temporary.file}-wal`, "");
    expect(lock).to.throw(StoreRefusal, /there is .*-wal/);
  });

  async function writeNotes(...ids: readonly string[]): Promise<void> {
    const store = temporary.open();
    for (const id of ids) await store.write(addNote(id));
    await store.close();
  }

  async function readNotes(file: string): Promise<string[]> {
    const store = temporary.open({ file });
    const ids = noteIds(store);
    await store.close();
    return ids;
  }
});
