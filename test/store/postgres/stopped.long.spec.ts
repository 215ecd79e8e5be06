import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { sql } from "../../../src/store/sql.ts";
import { addNote } from "../temporary-store.ts";
import { increaseNote } from "./increase-note.ts";
import { temporaryPostgres } from "./temporary-postgres.ts";

const PROGRAM = fileURLToPath(new URL("./stopped-process.ts", import.meta.url));

describe("a process that is stopped in the midst of its work in PostgreSQL", () => {
  const postgres = temporaryPostgres();

  before(() => postgres.begin());
  after(() => postgres.end());

  it("holds up others no longer than a timeout, has no lease any more, and does its work once it goes on", async function () {
    this.timeout(120_000);
    const store = await postgres.open();
    await store.write(addNote("a", "0"));
    const child = spawn(process.execPath, [PROGRAM, postgres.server.url, postgres.schema], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    try {
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const next = async () => (await lines.next()).value;
      expect(await next()).to.equal("try 1");
      child.kill("SIGSTOP");

      await store.write((unit) => increaseNote(unit, "a"));
      await store.lease("relay", async () => {});
      child.kill("SIGCONT");

      expect([await next(), await next(), await next()].sort()).to.deep.equal(["lost", "try 2", "written"]);
      expect((await ended)[0]).to.equal(0);
      const note = await store.read((reading) => reading.get(sql`SELECT text FROM notes WHERE id = 'a'`));
      expect(note).to.deep.equal({ text: "2" });
    } finally {
      child.kill("SIGKILL");
    }
  });
});
