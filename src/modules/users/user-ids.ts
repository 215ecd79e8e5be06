import { sql } from "../../store/sql.ts";
import type { Store } from "../../store/store.ts";

/** Reads the ids of all users, those who were erased too, from a database, which may be a copy or another process's. */
export function readUserIds(database: Pick<Store, "read">): Promise<ReadonlySet<string>> {
  return database.read(function* (reading) {
    const rows = yield* reading.all(sql<{ id: string }>`SELECT id FROM users UNION ALL SELECT id FROM erased_users`);
    return new Set(rows.map(({ id }) => id));
  });
}
