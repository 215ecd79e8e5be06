import type { Database } from "better-sqlite3";
import { describeVersions, newestOf, type Schema } from "../../../migration-files.ts";
import { reasonOf, StoreRefusal } from "../../../refusal.ts";
import { versionOf } from "../migrations.ts";
import { lockForServing } from "../serving-lock.ts";
import type { DatabaseFile } from "../snapshot.ts";

/**
 * Opens a file that nobody serves meanwhile.
 * @param open given the way to let others serve it, once it is closed
 * @throws StoreRefusal when it is served, or cannot be opened
 */
export async function whileLocked<T>({ name, file }: DatabaseFile, open: (unlock: () => void) => T): Promise<T> {
  const unlock = await lockForServing({ name, file }, { onWait() {}, onLost() {} });
  try {
    return open(unlock);
  } catch (error) {
    unlock();
    const told = error instanceof StoreRefusal ? error.message : `cannot be opened: ${reasonOf(error)}`;
    throw new StoreRefusal(`${name}: ${file} ${told}`, { cause: error });
  }
}

/** @throws StoreRefusal when a database has another schema than this code knows */
export function requireNewest(database: Database, schema: Schema): void {
  const [found, known] = [versionOf(database), describeVersions(newestOf(schema))];
  if (found === known) return;
  throw new StoreRefusal(`has schema ${found}, this moves ${known}: start its process once to bring it there`);
}
