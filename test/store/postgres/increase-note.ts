import { sql } from "../../../src/store/sql.ts";
import type { Unit, Work } from "../../../src/store/unit.ts";

/** Counts on in a note's text, as whoever reads what he then writes does. */
export function* increaseNote(unit: Unit, id: string): Work<void> {
  const row = yield* unit.lock(sql<{ text: string }>`SELECT text FROM notes WHERE id = ${id}`);
  yield* unit.run(sql`UPDATE notes SET text = ${String(Number(row?.text) + 1)} WHERE id = ${id}`);
}
