import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createRandom } from "../../bus/simulation/random.ts";
import { createDisk, type Disk } from "../../support/disk/disk.ts";
import type { Platter } from "../../support/disk/platter.ts";
import { skipWithoutShim } from "../../support/disk/shim.ts";

const SQLITE = createRequire(import.meta.url).resolve("better-sqlite3");

describe("a disk to test with", () => {
  let folder: string;
  let disk: Disk;
  let platter: Platter;

  beforeEach(function () {
    skipWithoutShim(this);
    folder = mkdtempSync(join(tmpdir(), "quartet-disk-"));
    disk = createDisk(true);
    platter = disk.platter(folder);
  });
  afterEach(() => {
    disk?.dispose();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it("sees the syncs of SQLite, of Node's pool and of worker threads, and no others", () => {
    run(`
      const database = new (require(${JSON.stringify(SQLITE)}))("a.db");
      database.pragma("journal_mode = WAL");
      database.pragma("synchronous = FULL");
      database.exec("CREATE TABLE t (x)");
      fs.writeFileSync("pool", "x");
      fs.open("pool", "r", (_, file) => fs.fdatasync(file, () => {
        new (require("node:worker_threads").Worker)(\`
          const fs = require("node:fs");
          fs.fsyncSync(fs.openSync("pool", "r+"));
          fs.fsyncSync(fs.openSync("/tmp", "r"));
        \`, { eval: true });
      }));`);
    const seen = disk.syncs().map(({ call, thread, file }) => `${call} ${thread} ${file}`);
    expect(seen).to.include.members([
      "fsync main a.db-wal",
      "fsync main ",
      "fdatasync thread pool",
      "fsync thread pool",
    ]);
    expect(new Set(disk.syncs().map(({ file }) => file))).to.deep.equal(
      new Set(["a.db", "a.db-journal", "a.db-wal", "", "pool"]),
    );
  });

  it("keeps what was synced, under the names that the folder had when it was synced itself", () => {
    run(`
      fs.writeFileSync("kept", "first".padEnd(5000));
      sync("kept"); sync(".");
      fs.writeFileSync("kept", "second", { flag: "r+" });
      fs.writeFileSync("nameless", "synced"); sync("nameless");
      fs.writeFileSync("hollow", "not synced"); sync(".");
      fs.renameSync("nameless", "named");
      fs.rmSync("hollow");`);
    platter.cut();
    expect(read("kept")).to.equal("first".padEnd(5000));
    expect(read("nameless")).to.equal("synced");
    expect(read("hollow")).to.equal("");
    expect(existsSync(join(folder, "named"))).to.equal(false);
  });

  it("may have any block of what was written and not synced", () => {
    run(`
      for (let n = 0; n < 40; n++) fs.writeFileSync("f" + n, "a".repeat(8192)), sync("f" + n);
      sync(".");
      for (let n = 0; n < 40; n++) fs.writeFileSync("f" + n, "b".repeat(12288));`);
    platter.cut(createRandom(1));
    const found = new Set(Array.from({ length: 40 }, (_, n) => read(`f${n}`).replace(/(.)\1{4095}/g, "$1")));
    for (const left of ["aa", "ab", "ba", "bb", "bbb"]) expect(found).to.include(left);
    expect([...found].join("")).to.match(/^[ab\0]*$/);
  });

  it("loses for good what a failed sync should have written, whatever a later one says, but not what is written again", () => {
    disk.behave("fail 1 failing");
    run(`
      fs.writeFileSync("failing", "lost".padEnd(4096) + "written again"); sync(".");
      try { sync("failing"); process.exit(1); } catch (error) { if (error.code !== "EIO") throw error; }`);
    disk.behave();
    run(`
      const file = fs.openSync("failing", "r+");
      fs.writeSync(file, "written again", 4096);
      fs.fsyncSync(file);`);
    platter.cut();
    expect(read("failing")).to.equal(`${"\0".repeat(4096)}written again`);
  });

  it("writes nothing when it is full, and lies when it is told to", () => {
    disk.behave("full", "lie 1 file");
    run(`
      const file = fs.openSync("file", "w+");
      try { fs.writeSync(file, "x", 0); process.exit(1); } catch (error) { if (error.code !== "ENOSPC") throw error; }
      fs.writeFileSync("file", "x"); sync("file"); sync(".");`);
    platter.cut();
    expect(statSync(join(folder, "file")).size).to.equal(0);
  });

  /** Runs a script in the folder, on this disk. */
  function run(script: string): void {
    const prelude = `const fs = require("node:fs"); const sync = (name) => fs.fsyncSync(fs.openSync(name, "r"));`;
    execFileSync(process.execPath, ["-e", prelude + script], { cwd: folder, env: disk.env });
  }

  const read = (name: string) => readFileSync(join(folder, name), "latin1");
});
