import Database from "better-sqlite3";
import { reasonOf, StoreRefusal } from "../../refusal.ts";
import { requireUsable } from "../../schema-state.ts";
import type { Position } from "../../store.ts";
import { requireOwn } from "./identity.ts";
import { readSchema, stateOf, versionOf } from "./migrations.ts";
import type { DatabaseFile } from "./snapshot.ts";

/** What was found in a database that is sound. */
export interface Verified {
  /** The version of its schema: the store's and the module's, such as `1.3`. */
  readonly schema: string;
  /** The newest row of the module's log, null while it has said nothing. */
  readonly logHead: Position | null;
}

/**
 * Reads all of a database that nobody writes to, and looks whether it can be served: whole, of a schema that this code
 * may use, its log without a gap.
 * @param migrations the folder of the module's `NNNN-*.sql` files
 * @throws StoreRefusal that says what is wrong with it
 */
export function verifyDatabase({ name, file }: DatabaseFile, migrations: URL): Verified {
  try {
    const database = new Database(file, { readonly: true, fileMustExist: true });
    try {
      const schema = readSchema(migrations);
      requireOwn(database, name, schema);
      requireUsable(stateOf(database), schema);
      requireSound(database);
      return { schema: versionOf(database), logHead: verifyLog(database) };
    } finally {
      database.close();
    }
  } catch (error) {
    const told = error instanceof StoreRefusal ? error.message : `cannot be read: ${reasonOf(error)}`;
    throw new StoreRefusal(`${name}: ${file} ${told}`, { cause: error });
  }
}

/** Every page, every index against its table, every reference. */
function requireSound(database: Database.Database): void {
  const fault = database.pragma("integrity_check(1)", { simple: true });
  if (fault !== "ok") throw new StoreRefusal(`is corrupt: ${reasonOf(fault)}`);
  const dangling = database.pragma("foreign_key_check") as { readonly table: string }[];
  if (dangling[0] !== undefined) {
    throw new StoreRefusal(`is corrupt: rows of ${dangling[0].table} refer to rows that are not there`);
  }
}

/** A log is dense, and each row names the epoch of the one before. Answers its head. */
function verifyLog(database: Database.Database): Position | null {
  const rows = database.prepare<[], Position & { readonly previousEpoch: string }>(
    "SELECT seq, epoch, previous_epoch AS previousEpoch FROM outbox ORDER BY seq",
  );
  let head: Position | null = null;
  for (const { seq, epoch, previousEpoch } of rows.iterate()) {
    if (head !== null && (seq !== head.seq + 1 || previousEpoch !== head.epoch)) {
      throw new StoreRefusal(`has a log that does not connect at row ${seq}`);
    }
    head = { epoch, seq };
  }
  return head;
}
