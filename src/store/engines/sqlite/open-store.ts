import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { newIdsAfter } from "../../../base/id.ts";
import { createSettledClock } from "../../../base/settled-clock.ts";
import { createCursors } from "../../cursors.ts";
import { makeFolder } from "../../make-folder.ts";
import { keepPrivate } from "../../private-file.ts";
import { reasonOf, StoreRefusal } from "../../refusal.ts";
import { sql } from "../../sql.ts";
import type { Store } from "../../store.ts";
import { KeptAnswers } from "./answers.ts";
import { SqliteEventLog } from "./event-log.ts";
import { GroupCommit, type GroupEffects } from "./group-commit.ts";
import { identityOf, requireOwn, writeIdentity } from "./identity.ts";
import { migrate, readSchema, requireKnownVersion, type Schema, versionOf } from "./migrations.ts";
import { SharedReads } from "./shared-reads.ts";
import { isDatabaseFault, problemOfRead } from "./sqlite-fault.ts";
import { SqliteReading } from "./sqlite-unit.ts";
import { Statements } from "./statements.ts";

/** How long a statement waits for another process's lock; the event loop waits with it. */
const BUSY_TIMEOUT_MS = 1_000;

const IN_MEMORY = ":memory:";

/** The version of a database that was not there before. */
const NO_SCHEMA = "0.0";

/** A reader that holds on for long lets the write-ahead log grow; it is cut to this when it starts again after him, or empties. */
const LOG_BOUND_BYTES = 8 * 1024 * 1024;

/** Settings of each connection: without FULL a commit may be lost with the power. */
const SETTINGS = [
  "journal_mode = WAL",
  "synchronous = FULL",
  "foreign_keys = ON",
  // In KiB: in a shop that has grown, each order changes pages of its own buyer and product; this keeps them at hand.
  "cache_size = -16000",
  `journal_size_limit = ${LOG_BOUND_BYTES}`,
];

export interface OpenStoreOptions {
  /** The module's name. */
  readonly name: string;
  /** The database file, made if absent with its folder; `:memory:` keeps nothing. */
  readonly file: string;
  /** The folder of the module's `NNNN-*.sql` files. */
  readonly migrations: URL;
  /** When a group commits, given that work waits; by default when this turn of the event loop has done its I/O. */
  readonly schedule?: (run: () => void) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds since some moment, by a clock that nobody sets; by default `now`, where that is given. */
  readonly monotonicMs?: () => number;
  /** Told what was found and done, in words. */
  readonly onOpened?: (told: string) => void;
  /** A name that no other opening of this database has. */
  readonly randomEpoch?: () => string;
}

/** A store in a SQLite file, as the engine's own tests see it. */
export interface SqliteStore extends Store {
  /** Prepares a statement of whoever knows the engine. Writing with it belongs inside no unit of work. */
  prepare<Params extends unknown[] | Record<string, unknown> = unknown[], Row = unknown>(
    sql: string,
  ): Database.Statement<Params, Row>;
}

/**
 * Opens a module's private database, checked and migrated.
 * @throws StoreRefusal when its folder cannot be made or written, or the file is corrupt, cannot be migrated or is of
 *   newer code; a file that is there already is left as it was
 */
export function openStore(options: OpenStoreOptions): SqliteStore {
  const { name, file } = options;
  try {
    const schema = readSchema(options.migrations);
    if (file !== IN_MEMORY) {
      inspect(name, file, schema);
      keepPrivate(file);
    }
    const database = connect(file);
    try {
      const found = versionOf(database);
      migrate(database, schema);
      writeIdentity(database, name);
      options.onOpened?.(describeOpening(file, found, versionOf(database)));
      return createStore(database, options);
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof StoreRefusal)
      throw new StoreRefusal(`${name}: ${file} ${error.message}`, { cause: error.cause });
    throw new StoreRefusal(`${name}: ${file} cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
}

function describeOpening(file: string, found: string, version: string): string {
  if (found === NO_SCHEMA) return `made ${file}, schema ${version}`;
  return `opened ${file}, schema ${version}${found === version ? "" : `, migrated from ${found}`}`;
}

/** Makes the folder, and looks at the file without changing a byte of it. */
function inspect(name: string, file: string, schema: Schema): void {
  makeFolder(dirname(file));
  accessSync(dirname(file), constants.W_OK);
  if (!existsSync(file)) return;
  accessSync(file, constants.W_OK);
  // Closing the last connection to a crashed database would move its write-ahead log into the file.
  const readonly = existsSync(`${file}-wal`);
  const database = new Database(file, { readonly, timeout: BUSY_TIMEOUT_MS });
  try {
    requireOwn(database, name, schema);
    requireKnownVersion(database, schema);
    const fault = database.pragma("quick_check(1)", { simple: true });
    if (fault !== "ok") throw new StoreRefusal(`is corrupt: ${reasonOf(fault)}`);
  } finally {
    database.close();
  }
}

function connect(file: string): Database.Database {
  const database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  for (const setting of SETTINGS) database.pragma(setting);
  return database;
}

function createStore(database: Database.Database, options: OpenStoreOptions): SqliteStore {
  const { name, now = Date.now, schedule = setImmediate, randomEpoch = drawEpoch } = options;
  const { monotonicMs = options.now ?? (() => performance.now()) } = options;
  const settledNow = createSettledClock(now, monotonicMs);
  const reads = new SharedReads(database, schedule);
  const statements = new Statements({ database, name, beforeRead: reads.begin });
  const write: Store["write"] = (work) => group.write(work);
  const read: Store["read"] = async (work) => {
    try {
      return new SqliteReading(statements).runToEnd(work);
    } catch (error) {
      throw isDatabaseFault(error) ? problemOfRead(error) : error;
    }
  };
  const log = new SqliteEventLog({ statements, name, epoch: randomEpoch(), now, settledNow, write });
  const answers = new KeptAnswers({ statements, settledNow, monotonicMs, write });
  const effects: GroupEffects = {
    append: (draft) => log.append(draft),
    keepAnswer: (claim, answer, person) => answers.keep(claim, answer, person),
    forgetAnswers: (person) => answers.forget(person),
    mark: () => log.mark(),
    undo: (mark) => log.undo(mark),
    committed: () => log.committed(),
  };
  const group = new GroupCommit({ name, database, statements, reads, effects, schedule, now });
  newIdsAfter(statements.get(sql<{ id: string | null }>`SELECT max(id) AS id FROM dead_letters`)?.id);
  return {
    name,
    seat: seatOf(options.file),
    database: identityOf(database) ?? "",
    prepare: (sql) => database.prepare(sql),
    read,
    write,
    log,
    cursors: createCursors({ read, write }, now),
    answers,
    overwriteDeleted: () => database.pragma("secure_delete = ON"),
    emptyLog: () => reads.pause(() => emptyLog(database)),
    boundLog() {
      const size = statSync(`${options.file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
      if (size > LOG_BOUND_BYTES) reads.pause(() => emptyLog(database));
    },
    fault: () => group.fault(),
    stats: () => ({ ...group.stats(), deadLetters: countDeadLetters(statements) }),
    close: () => group.close(),
  };
}

function countDeadLetters(statements: Statements): number {
  return statements.get(sql<{ count: number }>`SELECT count(*) AS count FROM dead_letters`)?.count ?? 0;
}

/** Does not wait for readers: the event loop would wait with it. */
function emptyLog(database: Database.Database): boolean {
  if (!database.open) return true; // whoever closes it last empties it
  database.pragma("busy_timeout = 0");
  try {
    return database.pragma("wal_checkpoint(TRUNCATE)", { simple: true }) === 0;
  } catch {
    return false; // a disk that fails is told of by the next commit
  } finally {
    database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  }
}

/** 96 random bits: two openings of one database never share them. */
function drawEpoch(): string {
  return randomBytes(12).toString("base64url");
}

/**
 * The file itself, and not its path, which may be a link or another container's. Machines that were set up alike have equal names and
 * numbers of files; no two run since the same start.
 */
function seatOf(file: string): string {
  if (file === IN_MEMORY) return drawEpoch();
  const { dev, ino } = statSync(file);
  return `${runningSystem()}:${dev}:${ino}`;
}

/** Linux says which start of it this is, the same to all its containers; elsewhere the machine's name has to do. */
function runningSystem(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return hostname();
  }
}
