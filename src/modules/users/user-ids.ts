import type { Store } from "../../store/store.ts";

/** Reads the ids of all users, those who were erased too, from a database, which may be a copy or another process's. */
export function readUserIds(database: Pick<Store, "prepare">): ReadonlySet<string> {
  return new Set(
    database
      .prepare<[], { id: string }>("SELECT id FROM users UNION ALL SELECT id FROM erased_users")
      .all()
      .map(({ id }) => id),
  );
}
