import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { isProblem } from "../../../src/base/problem.ts";
import { sql } from "../../../src/store/sql.ts";
import type { LogEntry } from "../../../src/store/store.ts";
import { until } from "../../support/process.ts";
import { addNote } from "../temporary-store.ts";
import { allRows, temporaryPostgres } from "./temporary-postgres.ts";

const KILLS = 5;

/** Units of work that are done before each kill, and after the last. */
const DONE_EACH = 25;

/** Units of work at once. */
const WRITERS = 16;

describe("a PostgreSQL that is killed in the midst of commits", () => {
  const postgres = temporaryPostgres();

  before(() => postgres.begin());
  after(() => postgres.end());

  it("loses nothing that was acknowledged, and does nothing twice", async () => {
    const store = await postgres.open();
    const told: LogEntry[] = [];
    store.log.onAppended((entries) => told.push(...entries));
    const fates = new Map<string, "done" | "not done" | "unknown">();
    let isOver = false;
    let made = 0;
    const done = () => [...fates.values()].filter((fate) => fate === "done").length;
    const write = async () => {
      while (!isOver) {
        const id = `note-${String(++made).padStart(6, "0")}`;
        fates.set(id, await fateOf(store.write(addNote(id))));
      }
    };
    const writers = Array.from({ length: WRITERS }, write);
    const untilMoreAreDone = () => {
      const enough = done() + DONE_EACH;
      return until(`${DONE_EACH} more are done`, () => done() >= enough);
    };
    for (let kill = 0; kill < KILLS; kill++) {
      await untilMoreAreDone();
      await sleep(Math.random() * 300); // in whatever moment of a commit
      await postgres.server.kill();
      await sleep(Math.random() * 200);
      await postgres.server.start();
    }
    await untilMoreAreDone();
    isOver = true;
    await Promise.all(writers);

    const notes = await store.read((reading) => reading.all(sql<{ id: string }>`SELECT id FROM notes ORDER BY id`));
    const kept = new Set(notes.map(({ id }) => id));
    const with_ = (fate: string) => [...fates].filter(([, each]) => each === fate).map(([id]) => id);
    expect(with_("done").filter((id) => !kept.has(id))).to.deep.equal([]);
    expect(with_("not done").filter((id) => kept.has(id))).to.deep.equal([]);
    expect(with_("done").length).to.be.greaterThan(100);
    const rows = await allRows(store);
    expect(rows.map(({ seq }) => seq)).to.deep.equal(rows.map((_, index) => index + 1));
    const subjects = rows.map(({ event }) => JSON.parse(event).subject as string);
    expect(subjects.sort()).to.deep.equal([...kept]);
    expect(told.map(({ seq }) => seq)).to.deep.equal(rows.map(({ seq }) => seq));
    expect(new Set(rows.map(({ epoch }) => epoch)).size).to.be.within(2, KILLS + 1);
  });
});

async function fateOf(write: Promise<void>): Promise<"done" | "not done" | "unknown"> {
  try {
    await write;
    return "done";
  } catch (error) {
    expect(isProblem(error, "dependency-unavailable"), String(error)).to.equal(true);
    return isProblem(error) && error.options.extensions?.outcome === "unknown" ? "unknown" : "not done";
  }
}
