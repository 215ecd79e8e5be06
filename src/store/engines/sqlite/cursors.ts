import type { Database } from "better-sqlite3";
import { newId, newIdsAfter } from "../../../base/id.ts";
import type { Cursors, DeadLetter, Position, Store, UnitOfWork } from "../../store.ts";

export interface CursorsOptions {
  readonly database: Database;
  readonly now: () => number;
  readonly write: Store["write"];
  /** @throws Error unless this unit of work is running in this store */
  readonly requireRunning: (unit: UnitOfWork) => void;
}

interface DeadLetterRow {
  readonly id: string;
  readonly publisher: string;
  readonly epoch: string;
  readonly seq: number;
  readonly event: string;
  readonly error: string;
  readonly attempts: number;
  readonly failed_at: string;
}

/** Greater than every UUID, whose digits are hexadecimal. */
const AFTER_ALL_IDS = "g";

/** SQLite's own. */
const NO_LIMIT = -1;

/** Where a module stands in the logs of others: tables beside its own, so that effect and cursor commit together. */
export function createCursors({ database, now, write, requireRunning }: CursorsOptions): Cursors {
  const sql = prepareStatements(database);
  newIdsAfter(sql.deadLetters.all(AFTER_ALL_IDS, 1)[0]?.id);
  const timestamp = () => new Date(now()).toISOString();
  return {
    position: (publisher, epoch) => sql.position.get(publisher, epoch)?.seq ?? 0,
    positions: (publisher) => sql.positions.all(publisher),
    move(unit, publisher, { epoch, seq }) {
      requireRunning(unit);
      if (sql.move.run(publisher, epoch, seq).changes === 0) {
        throw new Error(`the cursor of ${publisher} stands beyond row ${seq} of epoch ${epoch}`);
      }
      sql.forgetAttempts.run(publisher, epoch, seq);
    },
    async knowPublisher(publisher, met) {
      const known = sql.publisherDatabase.get(publisher)?.database;
      if (known !== undefined) return known;
      return write(() => {
        sql.knowPublisher.run(publisher, met);
        return sql.publisherDatabase.get(publisher)?.database ?? met;
      });
    },
    countAttempt: (publisher, { epoch, seq }) =>
      write(() => sql.countAttempt.get(publisher, epoch, seq)?.attempts ?? 0),
    bury(unit, { publisher, position: { epoch, seq }, event, error, attempts }) {
      requireRunning(unit);
      sql.bury.run(newId(), publisher, epoch, seq, JSON.stringify(event), error, attempts, timestamp());
    },
    deadLetters: (before = AFTER_ALL_IDS, limit = NO_LIMIT) => toDeadLetters(sql.deadLetters.all(before, limit)),
    deadLetter: (id) => toDeadLetters(sql.deadLetter.all(id))[0],
    unbury(unit, id) {
      requireRunning(unit);
      return toDeadLetters(sql.unbury.all(id))[0];
    },
    failAgain(unit, id, error) {
      requireRunning(unit);
      sql.failAgain.run(error, timestamp(), id);
    },
  };
}

function prepareStatements(database: Database) {
  return {
    position: database.prepare<[string, string], { seq: number }>(
      "SELECT seq FROM cursors WHERE publisher = ? AND epoch = ?",
    ),
    positions: database.prepare<[string], Position>(
      "SELECT epoch, seq FROM cursors WHERE publisher = ? ORDER BY id DESC",
    ),
    // Where two processes of the publisher overlap, its epochs alternate: the cursor that moved last has the highest id.
    move: database.prepare<[string, string, number]>(
      `INSERT INTO cursors (publisher, epoch, seq) VALUES (?, ?, ?)
       ON CONFLICT (publisher, epoch) DO UPDATE SET
         seq = excluded.seq,
         id = (SELECT max(id) + (max(id) > cursors.id) FROM cursors AS others)
       WHERE excluded.seq >= cursors.seq`,
    ),
    publisherDatabase: database.prepare<[string], { database: string }>(
      "SELECT database FROM publisher_databases WHERE publisher = ?",
    ),
    knowPublisher: database.prepare<[string, string]>("INSERT OR IGNORE INTO publisher_databases VALUES (?, ?)"),
    forgetAttempts: database.prepare<[string, string, number]>(
      "DELETE FROM attempts WHERE publisher = ? AND epoch = ? AND seq <= ?",
    ),
    countAttempt: database.prepare<[string, string, number], { attempts: number }>(
      `INSERT INTO attempts (publisher, epoch, seq, attempts) VALUES (?, ?, ?, 1)
       ON CONFLICT (publisher, epoch, seq) DO UPDATE SET attempts = attempts + 1 RETURNING attempts`,
    ),
    bury: database.prepare<[string, string, string, number, string, string, number, string]>(
      `INSERT INTO dead_letters (id, publisher, epoch, seq, event, error, attempts, failed_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    deadLetters: database.prepare<[string, number], DeadLetterRow>(
      "SELECT * FROM dead_letters WHERE id < ? ORDER BY id DESC LIMIT ?",
    ),
    deadLetter: database.prepare<[string], DeadLetterRow>("SELECT * FROM dead_letters WHERE id = ?"),
    unbury: database.prepare<[string], DeadLetterRow>("DELETE FROM dead_letters WHERE id = ? RETURNING *"),
    failAgain: database.prepare<[string, string, string]>(
      "UPDATE dead_letters SET attempts = attempts + 1, error = ?, failed_at = ? WHERE id = ?",
    ),
  };
}

function toDeadLetters(rows: readonly DeadLetterRow[]): DeadLetter[] {
  return rows.map(({ epoch, seq, event, failed_at, ...row }) => {
    return { ...row, position: { epoch, seq }, event: JSON.parse(event), failedAt: failed_at };
  });
}
