import type { Store } from "../../../store/store.ts";
import { createRecentUses } from "./recent-uses.ts";
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
  begin(userId: string, first: RefreshTokenHashes, expiresAt: string): void;
  /**
   * Exchanges the token that was presented for the next. A second use revokes the session (RFC 9700, 4.14.2), unless it is a
   * retry by its key, or comes within ten seconds of the first, as from a second tab: then it gets a token of its own. What a
   * retry that comes later was given before counts as used.
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
  readonly expires_at: string;
}

interface TokenRow {
  readonly spent: 0 | 1;
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

/**
 * @param monotonicMs a clock that nobody sets, in milliseconds. It begins anew with the process: a second use of a token that was
 *   first used before is taken for one that comes late
 * @param deletionNow see `createDeletionClock`: by which sessions that have expired are deleted
 */
export function createSessionRows(store: Store, monotonicMs: () => number, deletionNow: () => number): SessionRows {
  const sql = prepare(store);
  const justSpent = createRecentUses(GRACE_MS, monotonicMs);

  const revoke = (handleHash: string): void => void sql.revoke.run(handleHash);

  /** Spends the token that was presented, or finds that it may be used once more. @returns whether another may be given for it */
  function use({ presented: { handleHash, tokenHash }, keyHash }: Exchange): boolean {
    const token = sql.token.get(tokenHash);
    if (token === undefined) return false;
    if (token.spent === 1) return justSpent.has(tokenHash) || wasLost(handleHash, tokenHash, keyHash);
    sql.spend.run(tokenHash);
    sql.trimTokens.run(handleHash, 1);
    justSpent.add(tokenHash);
    return true;
  }

  /** Whether nobody has used what the same request was answered before. It is lost, then, and nobody may any more. */
  function wasLost(handleHash: string, tokenHash: string, keyHash: string | undefined): boolean {
    if (keyHash === undefined) return false;
    const { given, used } = sql.given.get(handleHash, tokenHash, keyHash) ?? { given: 0, used: 0 };
    if (given === 0 || used > 0) return false;
    sql.forgetGiven.run(handleHash, tokenHash, keyHash);
    return true;
  }

  return {
    begin(userId, { handleHash, tokenHash }, expiresAt) {
      sql.prune.run(new Date(deletionNow()).toISOString());
      sql.insert.run(handleHash, userId, expiresAt);
      sql.addToken.run(tokenHash, handleHash, null, null);
      sql.trim.run(userId, userId, handleHash);
    },
    exchange(exchange) {
      const { presented, next, keyHash, expiresAt, now } = exchange;
      const { handleHash, tokenHash } = presented;
      const session = sql.find.get(handleHash);
      if (session === undefined || session.expires_at <= now) return undefined;
      if (!use(exchange)) {
        revoke(handleHash);
        return undefined;
      }
      sql.addToken.run(next.tokenHash, handleHash, tokenHash, keyHash ?? null);
      sql.trimTokens.run(handleHash, 0);
      sql.prolong.run(expiresAt, handleHash);
      return session.user_id;
    },
    revoke,
    revokeAllOf: (userId) => void sql.revokeAll.run(userId),
    isOf: (handleHash, userId) => sql.find.get(handleHash)?.user_id === userId,
  };
}

function prepare(store: Store) {
  return {
    find: store.prepare<[string], SessionRow>("SELECT user_id, expires_at FROM sessions WHERE handle_hash = ?"),
    token: store.prepare<[string], TokenRow>("SELECT spent FROM refresh_tokens WHERE token_hash = ?"),
    insert: store.prepare<[string, string, string]>(
      "INSERT INTO sessions (handle_hash, user_id, expires_at) VALUES (?, ?, ?)",
    ),
    addToken: store.prepare<[string, string, string | null, string | null]>(
      "INSERT INTO refresh_tokens (token_hash, handle_hash, parent_hash, key_hash) VALUES (?, ?, ?, ?)",
    ),
    // The row is made anew, so that the spent ones are in the order in which they were spent.
    spend: store.prepare<[string]>(
      `REPLACE INTO refresh_tokens (token_hash, handle_hash, parent_hash, key_hash, spent)
       SELECT token_hash, handle_hash, parent_hash, key_hash, 1 FROM refresh_tokens WHERE token_hash = ?`,
    ),
    given: store.prepare<[string, string, string], { given: number; used: number }>(
      `SELECT count(*) AS given, coalesce(sum(spent), 0) AS used FROM refresh_tokens
       WHERE handle_hash = ? AND parent_hash = ? AND key_hash = ?`,
    ),
    forgetGiven: store.prepare<[string, string, string]>(
      "DELETE FROM refresh_tokens WHERE handle_hash = ? AND parent_hash = ? AND key_hash = ?",
    ),
    trimTokens: store.prepare<[string, 0 | 1]>(
      `DELETE FROM refresh_tokens WHERE rowid IN (
         SELECT rowid FROM refresh_tokens WHERE handle_hash = ? AND spent = ? ORDER BY rowid DESC
         LIMIT -1 OFFSET ${TOKENS_PER_SESSION})`,
    ),
    // Never shortened: the clock may be behind for a moment.
    prolong: store.prepare<[string, string]>(
      "UPDATE sessions SET expires_at = max(expires_at, ?) WHERE handle_hash = ?",
    ),
    revoke: store.prepare<[string]>("DELETE FROM refresh_tokens WHERE handle_hash = ?"),
    revokeAll: store.prepare<[string]>(
      "DELETE FROM refresh_tokens WHERE handle_hash IN (SELECT handle_hash FROM sessions WHERE user_id = ?)",
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
