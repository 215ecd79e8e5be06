/** Writes notes for ever, each to one database and then to another, and says so once it has begun. */
import { writeSync } from "node:fs";
import { openStore } from "../../src/store/engines/sqlite/open-store.ts";
import { addNote, NOTES_MIGRATIONS } from "./temporary-store.ts";

const stores = process.argv.slice(2).map((file) => openStore({ name: "notes", file, migrations: NOTES_MIGRATIONS }));

for (let note = 0; ; note++) {
  for (const store of stores) await store.write(addNote(String(note)));
  if (note === 0) writeSync(1, "begun\n");
}
