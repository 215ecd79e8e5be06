import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { noteIds, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

const WRITER = fileURLToPath(new URL("./writing-process.ts", import.meta.url));

describe("a process that is killed while it writes", () => {
  let temporary: TemporaryStore;

  beforeEach(() => {
    temporary = temporaryStore();
  });
  afterEach(() => temporary.dispose());

  it("loses no acknowledged row, keeps no half unit of work, and leaves a log without gaps", async () => {
    const acknowledged: string[] = [];
    for (let kill = 1; kill <= 3; kill++) {
      acknowledged.push(...(await writeUntilKilled(temporary.file, `run${kill}`, kill * 150)));
      const store = temporary.open();
      const notes = noteIds(store);
      const rows = await store.log.readAfter(0, 1_000_000);
      expect(notes).to.include.members(acknowledged);
      expect(rows.map(({ event }) => JSON.parse(event).subject)).to.have.members(notes);
      expect(rows.map(({ seq }) => seq)).to.deep.equal(rows.map((_, i) => i + 1));
      expect(new Set(rows.map(({ epoch }) => epoch)).size).to.equal(kill);
      await store.close();
    }
    expect(acknowledged.length).to.be.at.least(149 + 299 + 449);
  });
});

/** Starts a writer, kills it once it has acknowledged some writes, and resolves all ids that it acknowledged. */
async function writeUntilKilled(file: string, prefix: string, killAfter: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, file, prefix], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const acknowledged: string[] = [];
  for await (const id of createInterface({ input: child.stdout })) {
    acknowledged.push(id);
    if (acknowledged.length === killAfter) child.kill("SIGKILL");
  }
  const [, signal] = await exited;
  expect(signal).to.equal("SIGKILL");
  // The last line may be half an id.
  return acknowledged.slice(0, -1);
}
