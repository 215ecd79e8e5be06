import { type Query, sql } from "../../../store/sql.ts";
import type { Store } from "../../../store/store.ts";
import type { Unit, Work } from "../../../store/unit.ts";
import { sha256 } from "../sessions/refresh-token.ts";

/** What is known of a lane in which the last attempts have failed. */
export interface Failures {
  readonly count: number;
  /** When the next attempt is let in. */
  readonly waitUntilMs: number;
}

/** The failures of all lanes, the same for every process. Times are milliseconds since 1970. */
export interface FailureRows {
  /** Undefined when none has failed there, or none has lately. */
  find(lane: string, nowMs: number): Promise<Failures | undefined>;
  /** Counts one more. @param waitMs how long the next attempt has to wait then */
  add(lane: string, nowMs: number, waitMs: (count: number) => number): Promise<void>;
  /** Sets when the next attempt is let in, if it is still when it was. Resolves whether it was. */
  moveWait(lane: string, fromMs: number, untilMs: number): Promise<boolean>;
  forget(lane: string, nowMs: number): Promise<void>;
}

/** Failures are forgotten when none has followed for this long. */
const FORGET_AFTER_MS = 15 * 60_000;

/** What is forgotten later than that was written by a clock that has been set back; by so much processes may differ. */
const LARGEST_DIFFERENCE_MS = 60_000;

/** Lanes remembered at most, about 10 MB; more than the password hasher can make fail before they are forgotten. */
const MAX_LANES = 50_000;

/** Lanes are kept as their hashes, so that each takes the same room. */
export function createFailureRows(store: Store): FailureRows {
  return {
    find: (lane, nowMs) => store.read((reading) => reading.get(byLane(lane, nowMs))),
    add: (lane, nowMs, waitMs) => store.write((unit) => add(unit, sha256(lane), nowMs, waitMs)),
    moveWait: (lane, fromMs, untilMs) =>
      store.write(function* (unit) {
        const moved = yield* unit.run(
          sql`UPDATE failed_attempts SET wait_until_ms = ${untilMs} WHERE lane = ${sha256(lane)} AND wait_until_ms = ${fromMs}`,
        );
        return moved === 1;
      }),
    async forget(lane, nowMs) {
      if ((await store.read((reading) => reading.get(byLane(lane, nowMs)))) === undefined) return;
      await store.write((unit) => forgetLane(unit, lane));
    },
  };
}

/** Forgets what has failed in a lane. */
export function* forgetLane(unit: Unit, lane: string): Work<void> {
  yield* unit.run(sql`DELETE FROM failed_attempts WHERE lane = ${sha256(lane)}`);
}

function byLane(lane: string, nowMs: number): Query<Failures> {
  return sql<Failures>`SELECT count, wait_until_ms AS "waitUntilMs" FROM failed_attempts
    WHERE lane = ${sha256(lane)} AND forget_at_ms > ${nowMs} AND forget_at_ms <= ${latest(nowMs)}`;
}

function latest(nowMs: number): number {
  return nowMs + FORGET_AFTER_MS + LARGEST_DIFFERENCE_MS;
}

function* add(unit: Unit, hash: string, nowMs: number, waitMs: (count: number) => number): Work<void> {
  yield* unit.run(sql`DELETE FROM failed_attempts WHERE forget_at_ms <= ${nowMs} OR forget_at_ms > ${latest(nowMs)}`);
  const failed = yield* unit.get(
    sql<Failures>`INSERT INTO failed_attempts AS kept (lane, count, wait_until_ms, forget_at_ms)
      VALUES (${hash}, 1, 0, ${nowMs + FORGET_AFTER_MS})
      ON CONFLICT (lane) DO UPDATE SET count = kept.count + 1, forget_at_ms = excluded.forget_at_ms RETURNING count`,
  );
  const count = failed?.count ?? 1;
  yield* unit.run(sql`UPDATE failed_attempts SET wait_until_ms = ${nowMs + waitMs(count)} WHERE lane = ${hash}`);
  if (count === 1) yield* forgetOldest(unit);
}

function* forgetOldest(unit: Unit): Work<void> {
  const lanes = yield* unit.get(sql<{ count: number }>`SELECT count(*) AS count FROM failed_attempts`);
  const beyond = (lanes?.count ?? 0) - MAX_LANES;
  if (beyond <= 0) return;
  yield* unit.run(
    sql`DELETE FROM failed_attempts WHERE lane IN (SELECT lane FROM failed_attempts ORDER BY forget_at_ms LIMIT ${beyond})`,
  );
}
