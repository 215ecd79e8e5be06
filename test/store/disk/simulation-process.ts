/** A store that does one thing at a time, as its parent says; it answers what became known of notes. See simulation.ts. */
import { fdatasyncSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SyncFile } from "../../../src/store/engines/sqlite/commit/write-ahead-log.ts";
import { openStore, type SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import { sql } from "../../../src/store/sql.ts";
import { addNote, NOTES_MIGRATIONS } from "../temporary-store.ts";
import type { Done, Step } from "./simulation.ts";

let known: string[] = [];
let committed: { readonly log: number; readonly told: Parameters<SyncFile>[1] } | undefined;
let store = open();

process.on("message", async (step: Step) => {
  await take(step);
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  process.send?.({ known, isCommitted: committed !== undefined } satisfies Done);
  known = [];
});
process.send?.({ known, isCommitted: false } satisfies Done);

async function take({ what, ids = [], bytes = 0 }: Step): Promise<void> {
  if (what === "write") for (const id of ids) tell(store.write(addNote(id, "x".repeat(bytes))).then(() => [id]));
  if (what === "read") {
    tell(store.read((reading) => reading.all(sql<{ id: string }>`SELECT id FROM notes`)).then(idsOf));
    tell((async () => subjectsOf(await store.log.readAfter(0, 100_000)))());
  }
  if (what === "sync" && committed !== undefined) fdatasyncSync(committed.log);
  if (what === "tell") {
    const group = committed;
    committed = undefined;
    group?.told(null);
  }
  if (what === "empty") await store.emptyLog();
  if (what === "reopen") {
    await store.close();
    store = open();
  }
}

function open(): SqliteStore {
  const sync: SyncFile = (log, told) => {
    committed = { log, told };
  };
  const opened = openStore({ name: "notes", file: "notes.db", migrations: NOTES_MIGRATIONS, sync });
  opened.log.onAppended((rows) => void known.push(...subjectsOf(rows)));
  return opened;
}

function tell(ids: Promise<string[]>): void {
  ids.then(
    (found) => known.push(...found),
    () => {},
  );
}

const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);
const subjectsOf = (rows: readonly { readonly event: string }[]) => rows.map(({ event }) => JSON.parse(event).subject);
