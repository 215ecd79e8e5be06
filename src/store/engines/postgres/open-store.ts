import type { Store } from "../../store.ts";
import type { OpenPostgresStoreOptions } from "./options.ts";

/**
 * Opens a module's schema in PostgreSQL, checked and migrated.
 * @throws StoreRefusal when the server cannot be reached or used, or the schema cannot be migrated or is of newer code
 */
export async function openPostgresStore(options: OpenPostgresStoreOptions): Promise<Store> {
  throw new Error(`${options.name}: still to come`);
}
