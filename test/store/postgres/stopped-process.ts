import { writeSync } from "node:fs";
import { openPostgresStore } from "../../../src/store/engines/postgres/open-store.ts";
import { sql } from "../../../src/store/sql.ts";
import { increaseNote } from "./increase-note.ts";
import { POSTGRES_NOTES } from "./temporary-postgres.ts";

/** Has a lease, and is in the midst of a unit of work that has locked the note `a`, when it is stopped. Says what happens to it. */
const [, , url = "", schema = ""] = process.argv;
const say = (line: string) => writeSync(1, `${line}\n`);
const store = await openPostgresStore({ name: "notes", url, schema, migrations: POSTGRES_NOTES });

const leased = Promise.withResolvers<void>();
const held = store.lease("relay", async (lost) => {
  leased.resolve();
  await new Promise((resolve) => lost.addEventListener("abort", resolve));
  say("lost");
});
await leased.promise;

let tries = 0;
await store.write(function* (unit) {
  tries += 1;
  yield* increaseNote(unit, "a");
  say(`try ${tries}`);
  if (tries === 1) for (let n = 0; n < 200; n++) yield* unit.get(sql`SELECT pg_sleep(0.05)`);
});
say("written");
await held;
await store.close();
