import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect } from "chai";
import { openSnapshots, type Snapshot } from "../../src/store/engines/sqlite/snapshot.ts";
import { StoreRefusal } from "../../src/store/refusal.ts";
import { sql } from "../../src/store/sql.ts";
import { addNote, noteIds, temporaryStore } from "./temporary-store.ts";

const WRITER = fileURLToPath(new URL("./pair-writing-process.ts", import.meta.url));
const LOOKS = 200;

describe("snapshots", () => {
  let folder: string;
  const file = (name: string) => join(folder, `${name}.db`);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "quartet-snapshots-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("of several databases are of one moment, while a process writes to them in turn", async () => {
    const child = spawn(process.execPath, [WRITER, file("first"), file("second")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    try {
      await once(child.stdout, "data");
      let grown = 0;
      for (let look = 0; look < LOOKS || grown < LOOKS; look++) {
        // The later effect first: only a lock keeps what is looked at second from being the newer.
        const [second, first] = await counts([file("second"), file("first")]);
        expect(first, "each note is written to the first, then to the second").to.be.within(second, second + 1);
        const [first2, second2] = await counts([file("first"), file("second")]);
        expect(first2, "in whatever order they are named").to.be.within(second2, second2 + 1);
        grown = first2;
        await new Promise(setImmediate);
      }
    } finally {
      child.kill("SIGKILL");
      await exited;
    }
  });

  it("stay as they are, and so do their copies, whatever is written meanwhile", async () => {
    const temporary = temporaryStore(folder);
    const store = temporary.open();
    await store.write(addNote("before"));
    const [snapshot] = (await openSnapshots([{ name: "notes", file: temporary.file }])) as [Snapshot];
    await store.write(addNote("after"));
    expect(await notesIn(snapshot)).to.equal(1);
    await snapshot.copyTo(file("copy"));
    snapshot.close();
    const copy = temporary.open({ file: file("copy") });
    expect(noteIds(copy)).to.deep.equal(["before"]);
    expect(noteIds(store)).to.deep.equal(["after", "before"]);
    await temporary.dispose();
  });

  it("are copied into one file that is its owner's alone", async () => {
    const temporary = temporaryStore(folder);
    const store = temporary.open();
    await store.write(addNote("one"));
    const [snapshot] = (await openSnapshots([{ name: "notes", file: temporary.file }])) as [Snapshot];
    await snapshot.copyTo(file("copy"));
    snapshot.close();
    expect(readdirSync(folder).filter((name) => name.startsWith("copy"))).to.deep.equal(["copy.db"]);
    expect(statSync(file("copy")).mode & 0o777).to.equal(0o600);
    await temporary.dispose();
  });

  it("leave nothing beside a database that nobody serves", async () => {
    const temporary = temporaryStore(folder);
    await temporary.open().close();
    for (const snapshot of await openSnapshots([{ name: "notes", file: temporary.file }])) snapshot.close();
    expect(readdirSync(folder)).to.deep.equal(["notes.db"]);
    await temporary.dispose();
  });

  it("refuse what is not there, and what is no database", async () => {
    const refusal = (path: string) => openSnapshots([{ name: "notes", file: path }]).catch((error: unknown) => error);
    expect(String(await refusal(file("absent")))).to.match(/^StoreRefusal: notes: .*absent\.db cannot be read: /);
    expect(existsSync(file("absent"))).to.equal(false);
    expect(String(await refusal(process.execPath))).to.match(
      /^StoreRefusal: .* cannot be read: file is not a database/,
    );
  });

  it("wait for whoever writes just now, and keep nobody else from writing meanwhile", async () => {
    const temporary = temporaryStore(folder);
    const store = temporary.open({ sync: (_descriptor, told) => told(null) }); // a slow disk would use up the tries
    await temporary.open({ file: file("busy") }).write(function* () {});
    const writer = new Database(file("busy"));
    writer.exec("BEGIN IMMEDIATE");
    const opening = openSnapshots(["notes", "busy"].map((name) => ({ name: "notes", file: file(name) })));
    for (let note = 0; note < 5; note++) {
      await sleep(50);
      await store.write(addNote(String(note)));
    }
    writer.exec("COMMIT");
    writer.close();
    const [notes, busy] = (await opening) as [Snapshot, Snapshot];
    expect(await notesIn(notes)).to.equal(5);
    for (const snapshot of [notes, busy]) snapshot.close();
    await temporary.dispose();
  });

  it("tell in a line that a copy has no room", async () => {
    const temporary = temporaryStore(folder);
    temporary.open();
    const [snapshot] = (await openSnapshots([{ name: "notes", file: temporary.file }])) as [Snapshot];
    const outcome = await snapshot.copyTo("/dev/full").catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(StoreRefusal);
    expect(String(outcome)).to.match(/notes\.db cannot be copied to \/dev\/full: /);
    snapshot.close();
    await temporary.dispose();
  });
});

/** How many notes there are in each, at one moment. */
async function counts(files: readonly [string, string]): Promise<[number, number]> {
  const snapshots = (await openSnapshots(files.map((file) => ({ name: "notes", file })))) as [Snapshot, Snapshot];
  try {
    return [await notesIn(snapshots[0]), await notesIn(snapshots[1])];
  } finally {
    for (const snapshot of snapshots) snapshot.close();
  }
}

async function notesIn(snapshot: Snapshot): Promise<number> {
  const counted = await snapshot.read((reading) =>
    reading.get(sql<{ notes: number }>`SELECT count(*) AS notes FROM notes`),
  );
  return counted?.notes ?? 0;
}
