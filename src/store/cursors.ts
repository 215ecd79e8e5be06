import { newId } from "../base/id.ts";
import { timestampOf } from "../base/timestamp.ts";
import { sql } from "./sql.ts";
import type { Cursors, DeadLetter, Position, Store } from "./store.ts";
import type { Reading, Unit, Work } from "./unit.ts";

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

/** By name: newer code may have added others. */
const COLUMNS = sql`id, publisher, epoch, seq, event, error, attempts, failed_at`;

/** Greater than every UUID, whose digits are hexadecimal. */
const AFTER_ALL_IDS = "g";

const ALL = 1_000_000_000;

export interface CursorsOptions extends Pick<Store, "read" | "write"> {
  readonly now: () => number;
  /** See `Cursors.take`; nothing to do where one writes at a time. */
  readonly take?: Cursors["take"];
}

/** Where a module stands in the logs of others: tables beside its own, so that effect and cursor commit together. */
export function createCursors({ read, write, now, take = function* () {} }: CursorsOptions): Cursors {
  const timestamp = () => timestampOf(now());
  return {
    position,
    positions,
    take,
    move,
    async knowPublisher(publisher, met) {
      const known = await read((reading) => knownDatabase(reading, publisher));
      return known ?? (await write((unit) => knowPublisher(unit, publisher, met)));
    },
    countAttempt: (publisher, position) => write((unit) => countAttempt(unit, publisher, position)),
    *bury(unit, { publisher, position: { epoch, seq }, event, error, attempts }) {
      yield* unit.run(
        sql`INSERT INTO dead_letters (id, publisher, epoch, seq, event, error, attempts, failed_at) VALUES
          (${newId()}, ${publisher}, ${epoch}, ${seq}, ${JSON.stringify(event)}, ${error}, ${attempts}, ${timestamp()})`,
      );
    },
    deadLetters: (before = AFTER_ALL_IDS, limit = ALL) =>
      read(function* (reading) {
        const rows = yield* reading.all(
          sql<DeadLetterRow>`SELECT ${COLUMNS} FROM dead_letters WHERE id < ${before} ORDER BY id DESC LIMIT ${limit}`,
        );
        return rows.map(toDeadLetter);
      }),
    deadLetter: (id) =>
      read(function* (reading) {
        const row = yield* reading.get(sql<DeadLetterRow>`SELECT ${COLUMNS} FROM dead_letters WHERE id = ${id}`);
        return row && toDeadLetter(row);
      }),
    async countDeadLetters() {
      const row = await read((reading) =>
        reading.get(sql<{ count: number }>`SELECT count(*) AS count FROM dead_letters`),
      );
      return row?.count ?? 0;
    },
    *unbury(unit, id) {
      const row = yield* unit.get(sql<DeadLetterRow>`DELETE FROM dead_letters WHERE id = ${id} RETURNING ${COLUMNS}`);
      return row && toDeadLetter(row);
    },
    *failAgain(unit, id, error) {
      yield* unit.run(
        sql`UPDATE dead_letters SET attempts = attempts + 1, error = ${error}, failed_at = ${timestamp()} WHERE id = ${id}`,
      );
    },
  };
}

function* position(reading: Reading, publisher: string, epoch: string): Work<number> {
  const row = yield* reading.get(
    sql<{ seq: number }>`SELECT seq FROM cursors WHERE publisher = ${publisher} AND epoch = ${epoch}`,
  );
  return row?.seq ?? 0;
}

function* positions(reading: Reading, publisher: string): Work<Position[]> {
  return yield* reading.all(
    sql<Position>`SELECT epoch, seq FROM cursors WHERE publisher = ${publisher} ORDER BY id DESC`,
  );
}

/** Where two processes of the publisher overlap, its epochs alternate: the cursor that moved last has the highest id. */
function* move(unit: Unit, publisher: string, { epoch, seq }: Position): Work<void> {
  const moved = yield* unit.run(
    sql`INSERT INTO cursors (id, publisher, epoch, seq)
      SELECT coalesce(max(id), 0) + 1, ${publisher}, ${epoch}, ${seq} FROM cursors WHERE true
      ON CONFLICT (publisher, epoch) DO UPDATE SET
        seq = excluded.seq,
        id = CASE WHEN excluded.id > cursors.id + 1 THEN excluded.id ELSE cursors.id END
      WHERE excluded.seq > cursors.seq`,
  );
  if (moved === 0) throw new Error(`the cursor of ${publisher} is not before row ${seq} of epoch ${epoch}`);
  yield* unit.run(sql`DELETE FROM attempts WHERE publisher = ${publisher} AND epoch = ${epoch} AND seq <= ${seq}`);
}

function* knowPublisher(unit: Unit, publisher: string, met: string): Work<string> {
  yield* unit.run(
    sql`INSERT INTO publisher_databases (publisher, database) VALUES (${publisher}, ${met}) ON CONFLICT DO NOTHING`,
  );
  return (yield* knownDatabase(unit, publisher)) ?? met;
}

function* knownDatabase(reading: Reading, publisher: string): Work<string | undefined> {
  const row = yield* reading.get(
    sql<{ database: string }>`SELECT database FROM publisher_databases WHERE publisher = ${publisher}`,
  );
  return row?.database;
}

function* countAttempt(unit: Unit, publisher: string, { epoch, seq }: Position): Work<number> {
  const row = yield* unit.get(
    sql<{
      attempts: number;
    }>`INSERT INTO attempts (publisher, epoch, seq, attempts) VALUES (${publisher}, ${epoch}, ${seq}, 1)
      ON CONFLICT (publisher, epoch, seq) DO UPDATE SET attempts = attempts.attempts + 1 RETURNING attempts`,
  );
  return row?.attempts ?? 0;
}

function toDeadLetter({ epoch, seq, event, failed_at, ...row }: DeadLetterRow): DeadLetter {
  return { ...row, position: { epoch, seq }, event: JSON.parse(event), failedAt: failed_at };
}
