import { newIdsAfter } from "../base/id.ts";
import { type Query, sql } from "./sql.ts";
import type { Store } from "./store.ts";

/** Sees to it that the ids of a table's rows go on rising, whatever the clock says: lists are in their order. */
export async function continueIds(store: Store, table: Query): Promise<void> {
  const newest = await store.read((reading) =>
    reading.get(sql<{ id: string | null }>`SELECT max(id) AS id FROM ${table}`),
  );
  newIdsAfter(newest?.id);
}
