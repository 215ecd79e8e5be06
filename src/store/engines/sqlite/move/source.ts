import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import type { Source } from "../../../move/tables.ts";
import { reasonOf, StoreRefusal } from "../../../refusal.ts";
import { requireNewest } from "../../../schema-state.ts";
import { identityOf, requireOwn } from "../identity.ts";
import { readSchema, stateOf } from "../migrations.ts";
import type { DatabaseFile } from "../snapshot.ts";
import { fileTables } from "./file-tables.ts";
import { whileLocked } from "./place.ts";

/**
 * Opens a module's file to move its tables elsewhere. Nobody serves it until it is closed, and it is left as it is.
 * @param migrations the folder of the module's `NNNN-*.sql` files
 * @throws StoreRefusal when it is not there, is served or damaged, or has not this code's schema
 */
export function openFileSource({ name, file }: DatabaseFile, migrations: URL): Promise<Source> {
  return whileLocked({ name, file }, (unlock) => {
    if (!existsSync(file)) throw new StoreRefusal("is not there");
    const database = new Database(file);
    try {
      const schema = readSchema(migrations);
      requireOwn(database, name, schema);
      requireNewest(stateOf(database), schema);
      const fault = database.pragma("quick_check(1)", { simple: true });
      if (fault !== "ok") throw new StoreRefusal(`is corrupt: ${reasonOf(fault)}`);
      const close = async () => {
        database.close();
        unlock();
      };
      return { ...fileTables({ name, file }, database), database: identityOf(database) ?? "", close };
    } catch (error) {
      database.close();
      throw error;
    }
  });
}
