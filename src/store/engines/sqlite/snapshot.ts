import { accessSync, chmodSync, constants } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { reasonOf, StoreRefusal } from "../../refusal.ts";
import type { SchemaState } from "../../schema-state.ts";
import type { Store } from "../../store.ts";
import { requireNoOther } from "./identity.ts";
import { stateOf } from "./migrations.ts";
import { SqliteReading } from "./sqlite-unit.ts";
import { Statements } from "./statements.ts";

/** How long to wait for whoever writes just now, before all is let go again: writers of the other databases wait meanwhile. */
const LOCK_TIMEOUT_MS = 50;

/** How often all are tried to be locked, and how long they are left alone in between. */
const LOCK_TRIES = 50;
const LOCK_PAUSE_MS = 100;

/** Pages copied at a time; this process does nothing else meanwhile. */
const COPY_PAGES = 4_096;

/** A module's database, and where it is. */
export interface DatabaseFile {
  readonly name: string;
  readonly file: string;
}

/** A module's database as it was at one moment, read from outside, also while its process writes on. */
export interface Snapshot {
  readonly name: string;
  readonly schema: SchemaState;
  readonly read: Store["read"];
  /**
   * Copies all of it into one file, with nothing beside it, that only its owner may read.
   * @throws StoreRefusal when it cannot be written
   */
  copyTo(file: string): Promise<void>;
  close(): void;
}

/**
 * Opens databases as they all are at one moment: each is kept from being written to until the last is open, for about a
 * millisecond. Effects are never seen without their causes, whoever causes whose.
 * @throws StoreRefusal when one is not there, cannot be read or is another module's
 */
export async function openSnapshots(files: readonly DatabaseFile[]): Promise<Snapshot[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return openAll(files);
    } catch (error) {
      if (tries === LOCK_TRIES || !isBusy(error)) throw error;
      await sleep(LOCK_PAUSE_MS);
    }
  }
}

function openAll(files: readonly DatabaseFile[]): Snapshot[] {
  const locks: Database.Database[] = [];
  const readers: Database.Database[] = [];
  try {
    for (const each of files.filter(({ file }) => isWritable(file))) {
      const lock = open(each);
      locks.push(lock);
      refusing(each, () => lock.exec("BEGIN IMMEDIATE"));
    }
    return files.map((each) => {
      const reader = open(each);
      readers.push(reader);
      return refusing(each, () => toSnapshot(each, reader));
    });
  } catch (error) {
    for (const reader of readers) reader.close();
    throw error;
  } finally {
    for (const lock of locks) lock.close();
  }
}

function toSnapshot({ name, file }: DatabaseFile, database: Database.Database): Snapshot {
  database.pragma("query_only = ON");
  // What is read first pins the moment until the transaction ends.
  database.exec("BEGIN; SELECT count(*) FROM sqlite_schema");
  requireNoOther(database, name);
  const statements = new Statements({ database, name, beforeRead: () => {} });
  return {
    name,
    schema: stateOf(database),
    async read(work) {
      return new SqliteReading(statements).runToEnd(work);
    },
    async copyTo(to) {
      try {
        await database.backup(to, { progress: () => COPY_PAGES });
        foldIntoOneFile(to);
      } catch (error) {
        throw new StoreRefusal(`${name}: ${file} cannot be copied to ${to}: ${reasonOf(error)}`, { cause: error });
      }
    },
    close() {
      database.close();
    },
  };
}

/** A copy has its source's mode, which would want a write-ahead log beside it. */
function foldIntoOneFile(file: string): void {
  const database = new Database(file);
  try {
    database.pragma("journal_mode = DELETE");
  } finally {
    database.close();
  }
  chmodSync(file, 0o600); // it holds password hashes and signing keys
}

/** For writing where that is possible: a reader alone could leave files beside the database that are not its owner's. */
function open({ name, file }: DatabaseFile): Database.Database {
  return refusing(
    { name, file },
    () => new Database(file, { readonly: !isWritable(file), fileMustExist: true, timeout: LOCK_TIMEOUT_MS }),
  );
}

/** What cannot be written, such as a backup on a read-only file system, has nobody who writes to it. */
function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isBusy(refusal: unknown): boolean {
  const cause = refusal instanceof StoreRefusal ? refusal.cause : undefined;
  return cause instanceof Database.SqliteError && cause.code.startsWith("SQLITE_BUSY");
}

function refusing<T>({ name, file }: DatabaseFile, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const told = error instanceof StoreRefusal ? error.message : `cannot be read: ${reasonOf(error)}`;
    throw new StoreRefusal(`${name}: ${file} ${told}`, { cause: error });
  }
}
