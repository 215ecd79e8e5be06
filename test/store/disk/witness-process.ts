/**
 * Writes notes for ever into a database of the folder it is started in, reads them meanwhile, and prints what became known of each:
 * `written` when the write was acknowledged, `refused` when it was not, `shown` when a read answered it, `told` when the log told of it;
 * and `distrusted` when the store does not trust its file any more. On SIGUSR2, `turned` once it has had the time to say what it knew then.
 * To be watched on a disk that fails, and ended in the middle of it.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { openStore } from "../../../src/store/engines/sqlite/open-store.ts";
import { sql } from "../../../src/store/sql.ts";
import { addNote, NOTES_MIGRATIONS } from "../temporary-store.ts";

const [prefix = ""] = process.argv.slice(2);
const store = openStore({
  name: "notes",
  file: "notes.db",
  migrations: NOTES_MIGRATIONS,
  onDistrust: () => tell("distrusted", "file"),
});
let marks = 0;
/** Large, so that the write-ahead log is often emptied into the database. */
const TEXT = "x".repeat(8_000);

store.log.onAppended((rows) => {
  for (const { event } of rows) tell("told", JSON.parse(event).subject);
});
process.on("SIGUSR2", async () => {
  for (let turns = 0; turns < 100; turns++) await sleep(1);
  tell("turned", String(++marks));
});
void follow();
void read();
for (let group = 0; ; group++) {
  await Promise.all(idsOf(group).map(write));
  await turn(); // what is refused at once would leave those who read no time
}

function idsOf(group: number): string[] {
  return Array.from({ length: 1 + (group % 20) }, (_, i) => `${prefix}-${group}-${i}`);
}

async function write(id: string): Promise<void> {
  const isWritten = await store.write(addNote(id, TEXT)).then(
    () => true,
    () => false,
  );
  tell(isWritten ? "written" : "refused", id);
}

async function read(): Promise<void> {
  const known = new Set<string>();
  for (;;) {
    const rows = await store.read((reading) => reading.all(sql<{ id: string }>`SELECT id FROM notes`)).catch(() => []);
    for (const { id } of rows) if (!known.has(id)) tell("shown", id);
    for (const { id } of rows) known.add(id);
    await sleep(1);
  }
}

/** Reads the log as a relay does. */
async function follow(): Promise<void> {
  for (let last = 0; ; ) {
    const rows = await store.log.readAfter(last, 100).catch(() => []);
    for (const { seq, event } of rows) {
      tell("told", JSON.parse(event).subject);
      last = seq;
    }
    await sleep(1);
  }
}

/** Said before anything else happens. The pipe takes a line whole, or not yet. */
function tell(what: string, id: string): void {
  for (;;) {
    try {
      writeSync(1, `${what} ${id}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
