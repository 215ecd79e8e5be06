import Database from "better-sqlite3";

/**
 * Closes a database and leaves its write-ahead log beside it, as a process does that is killed. Whoever closes last would move the log
 * into the database, unless he may only read.
 */
export function closeAsItIs(database: Database.Database): void {
  const reader = database.memory ? undefined : new Database(database.name, { readonly: true });
  try {
    reader?.prepare("SELECT count(*) FROM sqlite_schema").get(); // only now it has the log open
  } finally {
    database.close();
    reader?.close();
  }
}
