import { dirname } from "node:path";
import Database from "better-sqlite3";
import { makeFolder } from "../../../make-folder.ts";
import type { Target } from "../../../move/tables.ts";
import { keepPrivate } from "../../../private-file.ts";
import { requireUsable } from "../../../schema-state.ts";
import { syncToDisk } from "../../../sync-to-disk.ts";
import { requireNoOther } from "../identity.ts";
import { migrate, readSchema, stateOf } from "../migrations.ts";
import type { DatabaseFile } from "../snapshot.ts";
import { searchTables } from "./catalogue.ts";
import { fileTables, insertInto, lastKeyOf, quote } from "./file-tables.ts";
import { dropMark, readMark, writeMark } from "./mark.ts";
import { whileLocked } from "./place.ts";

/**
 * Opens a file to move a module's tables into it, and makes it where there is none. Nobody serves it until it is closed.
 * @param migrations the folder of the module's `NNNN-*.sql` files
 * @throws StoreRefusal when it is served, cannot be written, or is another module's
 */
export function openFileTarget({ name, file }: DatabaseFile, migrations: URL): Promise<Target> {
  return whileLocked({ name, file }, (unlock) => {
    makeFolder(dirname(file));
    keepPrivate(file);
    const database = new Database(file);
    try {
      requireNoOther(database, name);
      const schema = readSchema(migrations);
      requireUsable(stateOf(database), schema);
      database.pragma("journal_mode = WAL");
      database.pragma("synchronous = FULL");
      database.pragma("foreign_keys = ON");
      migrate(database, schema);
      const close = async () => {
        database.close();
        unlock();
      };
      return { ...createTarget({ name, file }, database), close };
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function createTarget({ name, file }: DatabaseFile, database: Database.Database): Omit<Target, "close"> {
  return {
    ...fileTables({ name, file }, database),
    mark: async () => readMark(database),
    begin: async (mark) => writeMark(database, mark),
    lastKey: async (table) => lastKeyOf(database, table),
    async write(table, rows) {
      const insert = database.prepare(insertInto(table));
      database.transaction(() => {
        for (const row of rows) insert.run(...row);
      })();
    },
    async clear(tables) {
      database.transaction(() => {
        for (const { name } of [...tables].reverse()) database.exec(`DELETE FROM ${quote(name)}`);
        // A search would go on to find what it is not told of.
        for (const search of searchTables(database).map(quote)) {
          database.exec(`INSERT INTO ${search} (${search}) VALUES ('delete-all')`);
        }
      })();
    },
    async finish() {
      dropMark(database);
      database.pragma("wal_checkpoint(TRUNCATE)");
      syncToDisk(dirname(file));
    },
  };
}
