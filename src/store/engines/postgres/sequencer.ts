import { rowsAfter } from "../../log/stored-log.ts";
import { sql } from "../../sql.ts";
import type { LogEntry } from "../../store.ts";
import { EPOCH } from "./incarnation.ts";
import type { Session } from "./sessions.ts";

/** Events that get their numbers in one transaction. */
const BATCH = 500;

/**
 * Moves events that are committed into the log, by their ids, with the next numbers: one at a time does, who has the head's row. While
 * there are none it changes nothing.
 */
const NUMBER = sql<{ waiting: number; numbered: number; before: number }>`
  WITH waiting AS MATERIALIZED (SELECT count(*) AS events FROM (SELECT FROM outbox_arrivals LIMIT ${BATCH}) AS seen),
  head AS MATERIALIZED (SELECT seq, epoch FROM outbox_head WHERE (SELECT events FROM waiting) > 0 FOR UPDATE SKIP LOCKED),
  now AS MATERIALIZED (SELECT ${EPOCH} AS epoch FROM head),
  taken AS (
    DELETE FROM outbox_arrivals WHERE EXISTS (SELECT FROM head)
      AND id IN (SELECT id FROM outbox_arrivals ORDER BY id LIMIT ${BATCH}) RETURNING id, event
  ),
  numbered AS (SELECT row_number() OVER (ORDER BY id) AS n, event FROM taken),
  written AS (
    INSERT INTO outbox (seq, epoch, previous_epoch, event)
    SELECT head.seq + n, now.epoch, CASE WHEN n = 1 THEN head.epoch ELSE now.epoch END, event FROM numbered, head, now ORDER BY n
  ),
  moved AS (
    UPDATE outbox_head SET seq = outbox_head.seq + (SELECT count(*) FROM taken), epoch = now.epoch FROM now
    WHERE EXISTS (SELECT FROM taken)
  )
  SELECT waiting.events AS waiting, (SELECT count(*) FROM taken) AS numbered, outbox_head.seq AS before FROM waiting, outbox_head`;

const LOOK = sql<{
  waits: boolean;
  head: number;
}>`SELECT EXISTS (SELECT FROM outbox_arrivals) AS waits, seq AS head FROM outbox_head`;

/** Whether there is anything for a pass to do after this number, which costs a fraction of one. @throws as `Session.send` */
export async function hasNews(session: Session, after: number): Promise<boolean> {
  const { rows } = await session.ask(LOOK);
  return rows[0]?.waits !== false || rows[0].head !== after;
}

/** What a pass found. */
export interface Pass {
  /** Rows that are new in the log since the last one, whoever numbered them, oldest first. */
  readonly entries: readonly LogEntry[];
  /** Whether there are more, or others are about to number what waits. */
  readonly isPartial: boolean;
  /** The newest row's number before the pass. */
  readonly before: number;
}

/** Numbers what waits, and reads what is new after this number: one turn. @throws as `Session.send` */
export async function numberAndRead(session: Session, after: number): Promise<Pass> {
  const [{ rows }, { rows: entries }] = await Promise.all([session.ask(NUMBER), session.ask(rowsAfter(after, BATCH))]);
  const { waiting = 0, numbered = 0, before = 0 } = rows[0] ?? {};
  // Another process may have numbered a part meanwhile of those that were seen here, and there may be more than those.
  const isPartial = numbered < waiting || waiting === BATCH || entries.length === BATCH;
  return { entries, isPartial, before };
}
