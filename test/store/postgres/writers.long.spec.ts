import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { sql } from "../../../src/store/sql.ts";
import type { LogEntry, Store } from "../../../src/store/store.ts";
import type { Unit, Work } from "../../../src/store/unit.ts";
import { until } from "../../support/process.ts";
import { addNote } from "../temporary-store.ts";
import { allRows, temporaryPostgres } from "./temporary-postgres.ts";

const WRITERS = 4;
const ROWS = 10_000;
const SUBJECTS = 20;

/** Events of one unit of work. */
const EVENTS = 5;

/** Units of work of a writer at once: as many as it has connections, so that on a slow machine, too, none waits too long for one. */
const AT_ONCE = 8;

describe("the log of several writers in PostgreSQL", () => {
  const postgres = temporaryPostgres();

  before(() => postgres.begin());
  after(() => postgres.end());

  it(`has ${ROWS} rows of ${WRITERS} writers without a gap, each subject's in the order of its changes`, async () => {
    const stores = await Promise.all(Array.from({ length: WRITERS }, () => postgres.open()));
    const [reader] = stores;
    if (reader === undefined) throw new Error("there are no writers");
    const told: LogEntry[] = [];
    reader.log.onAppended((entries) => told.push(...entries));
    for (let subject = 0; subject < SUBJECTS; subject++) {
      await reader.write((unit) => unit.run(sql`INSERT INTO notes (id, text) VALUES (${String(subject)}, '0')`));
    }

    await Promise.all(stores.map(writeAll));
    for (const store of stores) await store.log.head();
    const rows = await allRows(reader);

    expect(rows.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: ROWS }, (_, index) => index + 1));
    expect(rows.every(({ previousEpoch }, index) => previousEpoch === (rows[index - 1]?.epoch ?? ""))).to.equal(true);
    const reached = new Map<string, number>();
    for (const { event } of rows) {
      const { subject, data } = JSON.parse(event);
      expect(data.change).to.equal((reached.get(subject) ?? 0) + 1, `the next change of ${subject}`);
      reached.set(subject, data.change);
    }
    await until("all are told", () => told.length >= rows.length); // it looks for others' rows now and then
    expect(told.map(({ seq }) => seq)).to.deep.equal(rows.map(({ seq }) => seq));
    // That a number is not given twice is no accident of its being the table's key.
    const said = await readFile(join(postgres.server.dir, "log"), "utf8");
    expect(said).to.contain('unique constraint "notes_pkey"').and.not.contain('unique constraint "outbox_pkey"');
  });
});

/** A fourth of the rows, and as many units of work again which fail after they have changed something. */
async function writeAll(store: Store, writer: number): Promise<void> {
  const units = ROWS / EVENTS / WRITERS;
  let next = 0;
  const writeSome = async () => {
    for (let n = next++; n < units; n = next++) {
      const subject = String((writer * units + n * 7) % SUBJECTS);
      await store.write((unit) => change(unit, subject));
      const failing = store.write(function* (unit) {
        yield* change(unit, subject);
        yield* addNote("0")(unit); // there is one already
      });
      expect(await failing.catch((error: Error) => error.message)).to.contain("duplicate key");
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, writeSome));
}

/** Says what is done to the subject, as often as it is. */
function* change(unit: Unit, subject: string): Work<void> {
  const row = yield* unit.lock(sql<{ text: string }>`SELECT text FROM notes WHERE id = ${subject}`);
  const before = Number(row?.text);
  yield* unit.run(sql`UPDATE notes SET text = ${String(before + EVENTS)} WHERE id = ${subject}`);
  for (let n = 1; n <= EVENTS; n++) {
    yield* unit.append({ type: "note.changed", subject, data: { change: before + n } });
  }
}
