import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { createDeletionClock } from "../../../base/deletion-clock.ts";
import { newIdsAfter } from "../../../base/id.ts";
import { createSettledClock } from "../../../base/settled-clock.ts";
import { KeptAnswers, NEWEST_ANSWER } from "../../answers.ts";
import { createCursors } from "../../cursors.ts";
import { cannotRead } from "../../environment-fault.ts";
import { makeFolder } from "../../make-folder.ts";
import type { Schema } from "../../migration-files.ts";
import { keepPrivate } from "../../private-file.ts";
import { reasonOf, StoreRefusal } from "../../refusal.ts";
import { describeVersions, newestOf, type Opening, requireMigrated, requireUsable } from "../../schema-state.ts";
import { sql } from "../../sql.ts";
import type { Store } from "../../store.ts";
import { Checkpoints } from "./commit/checkpoints.ts";
import { GroupCommit, type GroupEffects } from "./commit/group-commit.ts";
import { type SyncFile, WriteAheadLog, writeAgain } from "./commit/write-ahead-log.ts";
import { SqliteEventLog } from "./event-log.ts";
import { identityOf, requireOwn, writeIdentity } from "./identity.ts";
import { createLeases } from "./leases.ts";
import { migrate, readSchema, stateOf, versionOf } from "./migrations.ts";
import { randomName, seatOf } from "./seat.ts";
import { SharedReads } from "./shared-reads.ts";
import { isDatabaseFault, isFailedSync } from "./sqlite-fault.ts";
import { SqliteReading } from "./sqlite-unit.ts";
import { Statements } from "./statements.ts";

/** How long a statement waits for another process's lock; the event loop waits with it. */
const BUSY_TIMEOUT_MS = 1_000;

const IN_MEMORY = ":memory:";

/** The version of a database that was not there before. */
const NO_SCHEMA = "0.0";

/** A reader that holds on for long lets the write-ahead log grow; it is cut to this when it starts again after him, or empties. */
const LOG_BOUND_BYTES = 8 * 1024 * 1024;

/** Settings of each connection. */
const SETTINGS = [
  "journal_mode = WAL",
  // A COMMIT does not wait for the disk: `GroupCommit` does, and off the event loop, before anybody is told.
  "synchronous = NORMAL",
  "wal_autocheckpoint = 0", // see `Checkpoints`
  "foreign_keys = ON",
  // In KiB: in a shop that has grown, each order changes pages of its own buyer and product; this keeps them at hand.
  "cache_size = -16000",
  `journal_size_limit = ${LOG_BOUND_BYTES}`,
];

/**
 * What a savepoint would bring back is a few pages, and would go to a file, five writes for each order. Not before the schema is
 * migrated: an index of a large table is sorted in files.
 */
const UNDO_IN_MEMORY = "temp_store = MEMORY";

export interface OpenStoreOptions {
  /** The module's name. */
  readonly name: string;
  /** The database file, made if absent with its folder; `:memory:` keeps nothing. */
  readonly file: string;
  /** The folder of the module's `NNNN-*.sql` files. */
  readonly migrations: URL;
  /** When a group commits, given that work waits; by default when this turn of the event loop has done its I/O, or sooner alone. */
  readonly schedule?: (run: () => void) => void;
  /** How a commit reaches the disk; by default without holding up the event loop. */
  readonly sync?: SyncFile;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds since some moment, by a clock that nobody sets; by default `now`, where that is given. */
  readonly monotonicMs?: () => number;
  /** Whether what is missing of its schema is applied, and a file made; by default it is. */
  readonly migrates?: boolean;
  /** Told what was found and done. */
  readonly onOpened?: (opening: Opening) => void;
  /** Told once when a sync has failed, in words: this process must not go on with the file. */
  readonly onDistrust?: (told: string) => void;
  /** Fires when another process serves the file. */
  readonly lost?: AbortSignal;
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
 *   newer code that left this one behind; a file that is there already is left as it was
 */
export function openStore(options: OpenStoreOptions): SqliteStore {
  const { name, file } = options;
  try {
    const schema = readSchema(options.migrations);
    if (file !== IN_MEMORY) {
      inspect(options, schema);
      keepPrivate(file);
    }
    const database = connect(file);
    try {
      const found = versionOf(database);
      migrate(database, schema);
      writeIdentity(database, name);
      database.pragma(UNDO_IN_MEMORY);
      makeDurable(database, file);
      const from = found === NO_SCHEMA ? undefined : found;
      const known = describeVersions(newestOf(schema));
      options.onOpened?.({ place: file, from, to: versionOf(database), known });
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

/** Makes the folder, and looks at the file without changing a byte of it. */
function inspect({ name, file, migrates = true }: OpenStoreOptions, schema: Schema): void {
  makeFolder(dirname(file));
  accessSync(dirname(file), constants.W_OK);
  if (!existsSync(file)) {
    if (!migrates) throw new StoreRefusal("is not there: `npm run migrate` makes it");
    return;
  }
  accessSync(file, constants.W_OK);
  // Closing the last connection to a crashed database would move its write-ahead log into the file.
  const readonly = existsSync(`${realpathSync(file)}-wal`);
  const database = new Database(file, { readonly, timeout: BUSY_TIMEOUT_MS });
  try {
    requireOwn(database, name, schema);
    (migrates ? requireUsable : requireMigrated)(stateOf(database), schema);
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
  const { name, file, now = Date.now, schedule = setImmediate, randomEpoch = randomName } = options;
  const { monotonicMs = options.now ?? (() => performance.now()) } = options;
  const settledNow = createSettledClock(now, monotonicMs);
  const reads = new SharedReads(database, schedule);
  const statements = new Statements({ database, name, beforeRead: reads.begin });
  const write: Store["write"] = (work) => group.write(work);
  const read: Store["read"] = async (work) => {
    try {
      return new SqliteReading(statements).runToEnd(work);
    } catch (error) {
      throw isDatabaseFault(error) || !database.open ? cannotRead(error) : error;
    } finally {
      const syncing = group.onDisk();
      if (syncing !== undefined) await syncing;
    }
  };
  const log = new SqliteEventLog({ statements, name, epoch: randomEpoch(), now, settledNow, read, write });
  const deletionNow = createDeletionClock(settledNow, monotonicMs, statements.get(NEWEST_ANSWER)?.keptAtMs ?? 0);
  const answers = new KeptAnswers({ read, write, settledNow, deletionNow });
  const effects: GroupEffects = {
    append: (draft) => log.append(draft),
    keepAnswer: (unit, claim, answer, person) => answers.keep(unit, claim, answer, person),
    forgetAnswers: (unit, person) => answers.forget(unit, person),
    mark: () => log.mark(),
    undo: (mark) => log.undo(mark),
    committed(units) {
      log.committed();
      checkpoints.committed(units);
    },
  };
  // SQLite has its log beside the file that a link leads to.
  const onFile = file === IN_MEMORY ? undefined : realpathSync(file);
  const onDistrust = (reason: string) => options.onDistrust?.(`${name}: ${file} is not trusted any more: ${reason}`);
  const writeAheadLog = new WriteAheadLog(onFile, options.sync);
  const parts = { database, statements, reads, log: writeAheadLog, effects };
  const group = new GroupCommit({ name, ...parts, schedule, scheduleAlone: scheduleAloneOf(options), now, onDistrust });
  const pagesInLog = database.prepare<[], { log: number }>("PRAGMA wal_checkpoint(NOOP)");
  const checkpoints = new Checkpoints({
    file: onFile,
    pages: () => reads.pause(() => pagesInLog.get()?.log ?? 0),
    betweenGroups: (work) => group.betweenGroups(work),
    onFailedSync: (reason) => group.distrust(reason),
  });
  const leases = createLeases(options.lost);
  const emptyLog = async () => !database.open || (await checkpoints.empty());
  newIdsAfter(statements.get(sql<{ id: string | null }>`SELECT max(id) AS id FROM dead_letters`)?.id);
  return {
    name,
    seat: file === IN_MEMORY ? randomName() : seatOf(file),
    database: identityOf(database) ?? "",
    prepare: (sql) => database.prepare(sql),
    read,
    write,
    log,
    cursors: createCursors({ read, write, now }),
    answers,
    overwriteDeleted: () => database.pragma("secure_delete = ON"),
    emptyLog,
    async boundLog() {
      if (writeAheadLog.bytes() > LOG_BOUND_BYTES) await emptyLog();
    },
    fillUp: () => limitToItsSize(database),
    fault: () => group.fault(),
    stats: () => group.stats(),
    lease: leases.hold,
    lookAgainMs: undefined,
    close() {
      leases.end();
      return group.close();
    },
    crash() {
      leases.end();
      return group.crash();
    },
  };
}

/** SQLite takes the number of pages that there are for the least that can be set. @returns the way to undo it */
function limitToItsSize(database: Database.Database): () => void {
  const before = database.pragma("max_page_count", { simple: true });
  database.pragma("max_page_count = 1");
  return () => database.open && database.pragma(`max_page_count = ${before}`);
}

/** Once all that happens now has ended, what is to be told before it included. In memory nothing else would ever get a turn. */
function scheduleAloneOf({ file, schedule }: OpenStoreOptions): (run: () => void) => void {
  return schedule ?? (file === IN_MEMORY ? setImmediate : afterThisTick);
}

/** After all that is queued for the next tick, by then: others that are in the group have something to tell before it, too. */
function afterThisTick(work: () => void): void {
  process.nextTick(() => process.nextTick(work));
}

/**
 * Moves what is in the write-ahead log into the database, and syncs it. It passed the check of its sums, but may be in the kernel's
 * memory alone: once a sync has failed, the next one says that all is well. So the log is written once more first, or a power cut
 * while it is moved would leave a part of it, and nothing to complete it from.
 */
function makeDurable(database: Database.Database, file: string): void {
  try {
    if (file !== IN_MEMORY) database.transaction(() => writeAgain(`${realpathSync(file)}-wal`)).immediate(); // nobody adds to it meanwhile
    database.pragma("wal_checkpoint(TRUNCATE)");
  } catch (error) {
    if (isFailedSync(error)) throw error; // a full disk is another matter: reads go on
  }
}
