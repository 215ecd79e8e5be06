import { timestampOf } from "../../../base/timestamp.ts";
import { type Query, sql } from "../../../store/sql.ts";
import type { Reading, Unit, Work } from "../../../store/unit.ts";
import type { RefreshTokenHashes } from "./refresh-token.ts";

/** One exchange of a refresh token for the next. */
export interface Exchange {
  readonly presented: RefreshTokenHashes;
  readonly next: RefreshTokenHashes;
  /** SHA-256 of the request's Idempotency-Key: a retry with the same is not a second use. */
  readonly keyHash: string | undefined;
  /** When the next token expires, RFC 3339. */
  readonly expiresAt: string;
  readonly now: string;
}

/** The rows of sessions; what is given a unit is a part of its work. */
export interface SessionRows {
  /** Begins a session. The sessions that have expired go, and of one user's all but the newest hundred. */
  begin(unit: Unit, userId: string, first: RefreshTokenHashes, expiresAt: string): Work<void>;
  /**
   * Exchanges the token that was presented for the next. A second use revokes the session (RFC 9700, 4.14.2), unless it is a
   * retry by its key, or comes within ten seconds of the first, as from a second tab: then it gets a token of its own. What a
   * retry that comes later was given before counts as used. Answers the id of the user whose session it is, or undefined when
   * the token is not good.
   */
  exchange(unit: Unit, exchange: Exchange): Work<string | undefined>;
  revoke(unit: Unit, handleHash: string): Work<void>;
  revokeAllOf(unit: Unit, userId: string): Work<void>;
  /** Whether this is, or was, a session of this user. */
  isOf(reading: Reading, handleHash: string, userId: string): Work<boolean>;
}

interface SessionRow {
  readonly user_id: string;
  readonly expires_at: string;
}

interface TokenRow {
  readonly handle_hash: string;
  readonly parent_hash: string | null;
  readonly key_hash: string | null;
}

interface SpentRow {
  readonly spent: 0 | 1;
  readonly spent_at_ms: number | null;
}

/** How long after its first use a token may be used again: as long as tabs that woke up together take. */
const GRACE_MS = 10_000;

/** Sessions that one user has at most; bounds the table, since anybody can sign in again and again. */
const SESSIONS_PER_USER = 100;

/**
 * Tokens of a session that are known at most: so many good ones, of which a tab that closed leaves one behind, and so many spent
 * ones, the newest. Any other is taken for one used long ago. More than one address may ask for in a minute, unless set otherwise.
 */
const TOKENS_PER_SESSION = 64;

const ALL = 1_000_000_000;

/**
 * @param settledNow see `createSettledClock`: by which second uses are early or late. The clocks of replicas differ by little
 * @param deletionNow see `createDeletionClock`: by which sessions that have expired are deleted
 */
export function createSessionRows(settledNow: () => number, deletionNow: () => number): SessionRows {
  const isRecent = (atMs: number | null) => atMs !== null && Math.abs(settledNow() - atMs) < GRACE_MS;

  /** Spends the token that was presented, or finds that it may be used once more. Answers whether another may be given for it. */
  function* use(unit: Unit, { presented: { handleHash, tokenHash }, keyHash }: Exchange): Work<boolean> {
    const token = yield* unit.lock(
      sql<SpentRow>`SELECT spent, spent_at_ms FROM refresh_tokens WHERE token_hash = ${tokenHash}`,
    );
    if (token === undefined) return false;
    if (token.spent === 1) return isRecent(token.spent_at_ms) || (yield* wasLost(unit, handleHash, tokenHash, keyHash));
    yield* spend(unit, tokenHash, settledNow());
    yield* trimTokens(unit, handleHash, 1);
    return true;
  }

  return {
    *begin(unit, userId, { handleHash, tokenHash }, expiresAt) {
      const expired = sql`expires_at <= ${timestampOf(deletionNow())}`;
      yield* lockSessions(unit, expired);
      yield* unit.run(sql`DELETE FROM sessions WHERE ${expired}`);
      yield* unit.run(
        sql`INSERT INTO sessions (handle_hash, user_id, expires_at) VALUES (${handleHash}, ${userId}, ${expiresAt})`,
      );
      yield* addToken(unit, handleHash, tokenHash, null, null);
      yield* trimSessions(unit, userId, handleHash);
    },
    *exchange(unit, exchange) {
      const { presented, next, keyHash, expiresAt, now } = exchange;
      const { handleHash, tokenHash } = presented;
      const session = yield* unit.lock(bySession(handleHash));
      if (session === undefined || session.expires_at <= now) return undefined;
      if (!(yield* use(unit, exchange))) {
        yield* revoke(unit, handleHash);
        return undefined;
      }
      yield* addToken(unit, handleHash, next.tokenHash, tokenHash, keyHash ?? null);
      yield* trimTokens(unit, handleHash, 0);
      // Never shortened: the clock may be behind for a moment.
      yield* unit.run(
        sql`UPDATE sessions SET expires_at = ${expiresAt} WHERE handle_hash = ${handleHash} AND expires_at < ${expiresAt}`,
      );
      return session.user_id;
    },
    revoke,
    *revokeAllOf(unit, userId) {
      yield* lockSessions(unit, sql`user_id = ${userId}`);
      yield* unit.run(
        sql`DELETE FROM refresh_tokens WHERE handle_hash IN (SELECT handle_hash FROM sessions WHERE user_id = ${userId})`,
      );
    },
    *isOf(reading, handleHash, userId) {
      return (yield* reading.get(bySession(handleHash)))?.user_id === userId;
    },
  };
}

function bySession(handleHash: string): Query<SessionRow> {
  return sql<SessionRow>`SELECT user_id, expires_at FROM sessions WHERE handle_hash = ${handleHash}`;
}

/** Everybody locks sessions, before their tokens, in the same order. */
function* lockSessions(unit: Unit, which: Query): Work<void> {
  yield* unit.lock(sql`SELECT 1 FROM sessions WHERE ${which} ORDER BY handle_hash`);
}

/** Waits for an exchange that is under way, whose token goes with the others. */
function* revoke(unit: Unit, handleHash: string): Work<void> {
  yield* unit.lock(bySession(handleHash));
  yield* unit.run(sql`DELETE FROM refresh_tokens WHERE handle_hash = ${handleHash}`);
}

/** Whether nobody has used what the same request was answered before. It is lost, then, and nobody may any more. */
function* wasLost(unit: Unit, handleHash: string, parentHash: string, keyHash: string | undefined): Work<boolean> {
  if (keyHash === undefined) return false;
  const given = sql`handle_hash = ${handleHash} AND parent_hash = ${parentHash} AND key_hash = ${keyHash}`;
  const tokens = yield* unit.get(
    sql<{ given: number; used: number }>`SELECT count(*) AS given, coalesce(sum(spent), 0) AS used
      FROM refresh_tokens WHERE ${given}`,
  );
  if (tokens === undefined || tokens.given === 0 || tokens.used > 0) return false;
  yield* unit.run(sql`DELETE FROM refresh_tokens WHERE ${given}`);
  return true;
}

function* addToken(
  unit: Unit,
  handleHash: string,
  tokenHash: string,
  parentHash: string | null,
  keyHash: string | null,
): Work<void> {
  yield* unit.run(
    sql`INSERT INTO refresh_tokens (token_hash, handle_hash, parent_hash, key_hash)
      VALUES (${tokenHash}, ${handleHash}, ${parentHash}, ${keyHash})`,
  );
}

/** The row is made anew, so that the spent ones are in the order in which they were spent. */
function* spend(unit: Unit, tokenHash: string, atMs: number): Work<void> {
  const token = yield* unit.get(
    sql<TokenRow>`DELETE FROM refresh_tokens WHERE token_hash = ${tokenHash} RETURNING handle_hash, parent_hash, key_hash`,
  );
  if (token === undefined) return;
  yield* unit.run(
    sql`INSERT INTO refresh_tokens (token_hash, handle_hash, parent_hash, key_hash, spent, spent_at_ms)
      VALUES (${tokenHash}, ${token.handle_hash}, ${token.parent_hash}, ${token.key_hash}, 1, ${atMs})`,
  );
}

function* trimTokens(unit: Unit, handleHash: string, spent: 0 | 1): Work<void> {
  yield* unit.run(
    sql`DELETE FROM refresh_tokens WHERE handle_hash = ${handleHash} AND rowid IN (
      SELECT rowid FROM refresh_tokens WHERE handle_hash = ${handleHash} AND spent = ${spent} ORDER BY rowid DESC
      LIMIT ${ALL} OFFSET ${TOKENS_PER_SESSION})`,
  );
}

/** The one that has just begun stays, though it may end before others: the clock, or the setting, was another then. */
function* trimSessions(unit: Unit, userId: string, begun: string): Work<void> {
  yield* unit.run(
    sql`DELETE FROM sessions WHERE user_id = ${userId} AND rowid IN (
      SELECT rowid FROM sessions WHERE user_id = ${userId} ORDER BY handle_hash = ${begun} DESC, expires_at DESC, rowid DESC
      LIMIT ${ALL} OFFSET ${SESSIONS_PER_USER})`,
  );
}
