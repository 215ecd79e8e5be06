/** Writes notes for ever, and prints the id of each that was acknowledged: to be killed in the middle of it. */
import { writeSync } from "node:fs";
import { openStore } from "../../src/store/engines/sqlite/open-store.ts";
import { addNote, NOTES_MIGRATIONS } from "./temporary-store.ts";

const [file = "", prefix = ""] = process.argv.slice(2);
const store = openStore({ name: "notes", file, migrations: NOTES_MIGRATIONS });

for (let group = 0; ; group++) {
  const ids = Array.from({ length: 1 + (group % 40) }, (_, i) => `${prefix}-${group}-${i}`);
  await Promise.all(
    ids.map(async (id) => {
      await store.write(addNote(id));
      writeSync(1, `${id}\n`);
    }),
  );
}
