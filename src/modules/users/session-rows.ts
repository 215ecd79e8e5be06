import type { Store } from "../../store/store.ts";
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

/** The rows of sessions; what writes belongs inside a unit of work. */
export interface SessionRows {
  /** Begins a session. The sessions that have expired go, and of one user's all but the newest hundred. */
  begin(userId: string, first: RefreshTokenHashes, expiresAt: string, now: string): void;
  /**
   * Replaces the token that was presented by the next. A token that was exchanged before revokes its session.
   * @returns the id of the user whose session it is, or undefined when the token is not good
   */
  exchange(exchange: Exchange): string | undefined;
  revoke(handleHash: string): void;
  revokeAllOf(userId: string): void;
  /** Whether this is, or was, a session of this user. */
  isOf(handleHash: string, userId: string): boolean;
}

interface SessionRow {
  readonly user_id: string;
  readonly token_hash: string | null;
  readonly previous_hash: string | null;
  readonly exchange_key_hash: string | null;
  readonly expires_at: string;
}

/** Sessions that one user has at most; bounds the table, since anybody can sign in again and again. */
const SESSIONS_PER_USER = 100;

export function createSessionRows(store: Store): SessionRows {
  const sql = prepare(store);

  const revoke = (handleHash: string): void => void sql.revoke.run(handleHash);

  return {
    begin(userId, { handleHash, tokenHash }, expiresAt, now) {
      sql.prune.run(now);
      sql.insert.run(handleHash, userId, tokenHash, expiresAt);
      sql.trim.run(userId, userId, handleHash);
    },
    exchange({ presented: { handleHash, tokenHash }, next, keyHash, expiresAt, now }) {
      const row = sql.find.get(handleHash);
      if (row === undefined || row.token_hash === null || row.expires_at <= now) return undefined;
      const isRetry = row.previous_hash === tokenHash && keyHash !== undefined && row.exchange_key_hash === keyHash;
      if (row.token_hash !== tokenHash && !isRetry) {
        revoke(handleHash);
        return undefined;
      }
      sql.replace.run(next.tokenHash, tokenHash, keyHash ?? null, expiresAt, handleHash);
      return row.user_id;
    },
    revoke,
    revokeAllOf: (userId) => void sql.revokeAll.run(userId),
    isOf: (handleHash, userId) => sql.find.get(handleHash)?.user_id === userId,
  };
}

function prepare(store: Store) {
  return {
    find: store.prepare<[string], SessionRow>(
      "SELECT user_id, token_hash, previous_hash, exchange_key_hash, expires_at FROM sessions WHERE handle_hash = ?",
    ),
    insert: store.prepare<[string, string, string, string]>(
      "INSERT INTO sessions (handle_hash, user_id, token_hash, expires_at) VALUES (?, ?, ?, ?)",
    ),
    replace: store.prepare<[string, string, string | null, string, string]>(
      `UPDATE sessions SET token_hash = ?, previous_hash = ?, exchange_key_hash = ?, expires_at = ?
       WHERE handle_hash = ?`,
    ),
    revoke: store.prepare<[string]>(
      "UPDATE sessions SET token_hash = NULL, previous_hash = NULL WHERE handle_hash = ?",
    ),
    revokeAll: store.prepare<[string]>(
      "UPDATE sessions SET token_hash = NULL, previous_hash = NULL WHERE user_id = ? AND token_hash IS NOT NULL",
    ),
    prune: store.prepare<[string]>("DELETE FROM sessions WHERE expires_at <= ?"),
    // The one that has just begun stays, though it may end before others: the clock, or the setting, was another then.
    trim: store.prepare<[string, string, string]>(
      `DELETE FROM sessions WHERE user_id = ? AND rowid IN (
         SELECT rowid FROM sessions WHERE user_id = ? ORDER BY handle_hash = ? DESC, expires_at DESC, rowid DESC
         LIMIT -1 OFFSET ${SESSIONS_PER_USER})`,
    ),
  };
}
