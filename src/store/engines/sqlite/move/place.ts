import { reasonOf, StoreRefusal } from "../../../refusal.ts";
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
