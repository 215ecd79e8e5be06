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
   * Exchanges the token that was presented for the next. A second use revokes the session (RFC 9700, 4.14.2), unless it is a
   * retry by its key, or comes within ten seconds of the first, as from a second tab: then it gets a token of its own.
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
  readonly next_hash: string | null;
  readonly exchange_key_hash: string | null;
}

/** How long after its first use a token may be used again: as long as tabs that woke up together take. */
const GRACE_MS = 10_000;

/** Sessions that one user has at most; bounds the table, since anybody can sign in again and again. */
const SESSIONS_PER_USER = 100;

/** Tokens of a session that are known at most: first the good ones, then the newest. Any other is taken for one used long ago. */
const TOKENS_PER_SESSION = 50;

/**
 * @param monotonicMs a clock that nobody sets, in milliseconds. It begins anew with the process: a second use of a token that was
 *   first used before is taken for one that comes late
 */
export function createSessionRows(store: Store, monotonicMs: () => number): SessionRows {
  const sql = prepare(store);
  /** When tokens were spent in the last ten seconds; the oldest comes first. */
  const spentAtMs = new Map<string, number>();

  const revoke = (handleHash: string): void => void sql.revoke.run(handleHash);

  function isJustSpent(tokenHash: string): boolean {
    for (const [hash, atMs] of spentAtMs) {
      if (monotonicMs() - atMs < GRACE_MS) break;
      spentAtMs.delete(hash);
    }
    return spentAtMs.has(tokenHash);
  }

  /** Whether a token may be exchanged, for the first time or once more. */
  function isGood(token: TokenRow | undefined, tokenHash: string, keyHash: string | undefined): boolean {
    if (token === undefined) return false;
    const isRetry = keyHash !== undefined && token.exchange_key_hash === keyHash && isUnused(token.next_hash);
    return token.next_hash === null || isRetry || isJustSpent(tokenHash);
  }

  /** What a lost answer held has not been used by anybody. */
  function isUnused(tokenHash: string | null): boolean {
    return tokenHash !== null && sql.token.get(tokenHash)?.next_hash === null;
  }

  return {
    begin(userId, { handleHash, tokenHash }, expiresAt, now) {
      sql.prune.run(now);
      sql.insert.run(handleHash, userId, expiresAt);
      sql.addToken.run(tokenHash, handleHash);
      sql.trim.run(userId, userId, handleHash);
    },
    exchange({ presented: { handleHash, tokenHash }, next, keyHash, expiresAt, now }) {
      const session = sql.find.get(handleHash);
      if (session === undefined || session.expires_at <= now) return undefined;
      const token = sql.token.get(tokenHash);
      if (!isGood(token, tokenHash, keyHash)) {
        revoke(handleHash);
        return undefined;
      }
      if (token?.next_hash === null) spentAtMs.set(tokenHash, monotonicMs());
      // By its key the answer is known to be lost, and with it what it held.
      else if (keyHash !== undefined && token?.exchange_key_hash === keyHash) sql.forgetToken.run(token.next_hash);
      sql.spend.run(next.tokenHash, keyHash ?? null, tokenHash);
      sql.addToken.run(next.tokenHash, handleHash);
      sql.trimTokens.run(handleHash, handleHash);
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
    token: store.prepare<[string], TokenRow>(
      "SELECT next_hash, exchange_key_hash FROM refresh_tokens WHERE token_hash = ?",
    ),
    insert: store.prepare<[string, string, string]>(
      "INSERT INTO sessions (handle_hash, user_id, expires_at) VALUES (?, ?, ?)",
    ),
    addToken: store.prepare<[string, string]>("INSERT INTO refresh_tokens (token_hash, handle_hash) VALUES (?, ?)"),
    spend: store.prepare<[string, string | null, string]>(
      "UPDATE refresh_tokens SET next_hash = ?, exchange_key_hash = ? WHERE token_hash = ?",
    ),
    forgetToken: store.prepare<[string | null]>("DELETE FROM refresh_tokens WHERE token_hash = ?"),
    trimTokens: store.prepare<[string, string]>(
      `DELETE FROM refresh_tokens WHERE handle_hash = ? AND rowid IN (
         SELECT rowid FROM refresh_tokens WHERE handle_hash = ? ORDER BY next_hash IS NULL DESC, rowid DESC LIMIT -1 OFFSET ${TOKENS_PER_SESSION})`,
    ),
    prolong: store.prepare<[string, string]>("UPDATE sessions SET expires_at = ? WHERE handle_hash = ?"),
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
