import { setTimeout as sleep } from "node:timers/promises";
import { newIdsAfter } from "../../base/id.ts";
import { Problem } from "../../base/problem.ts";
import type { Begin } from "../../contract/in-time.ts";
import type { Claim, Store } from "../../store/store.ts";
import type { RefreshTokenHashes } from "./sessions/refresh-token.ts";
import { createSessionRows, type Exchange } from "./sessions/session-rows.ts";
import { type Account, canonicalEmail, type User } from "./user.ts";

/** A refresh token that is issued now. */
export interface IssuedToken {
  readonly hashes: RefreshTokenHashes;
  /** RFC 3339, as all times here. */
  readonly expiresAt: string;
  readonly now: string;
}

/** All that is kept of users but their keys. What changes together is one method and one unit of work. */
export interface KeptRegistration {
  readonly claim: Claim;
  readonly answer: object;
}

export interface UserStore {
  find(id: string): Promise<User | undefined>;
  /** With what is secret of it. */
  findAccount(id: string): Promise<Account | undefined>;
  /** The account that signs in with this address, whatever its case. */
  findByEmail(email: string): Promise<Account | undefined>;
  /** At most `limit` users, newest first, after the one with the id `after`. */
  list(limit: number, after: string | undefined): Promise<User[]>;
  /** The highest cost that any password is hashed at, 0 while there is none. */
  highestHashCost(): Promise<number>;
  /**
   * Adds an account, signed in if there is a first token, and keeps the answer to a retry.
   * @throws Problem email-taken when another has the address
   */
  add(account: Account, begin: Begin, first?: IssuedToken, kept?: KeptRegistration): Promise<void>;
  /** Whether there is any account beside the one with this address. */
  hasOthers(email: string | undefined): Promise<boolean>;
  /** Adds the accounts if there are no others beside the one with this address. Resolves whether it did. */
  addIfNoOthers(accounts: readonly Account[], email: string | undefined): Promise<boolean>;
  /**
   * Begins a session, and keeps the password's hash at another cost if there is one.
   * @returns false, and nothing has changed, when the account's hash is no longer the one that was verified
   */
  beginSession(verified: Account, first: IssuedToken, rehashed: string | undefined, begin: Begin): Promise<boolean>;
  /** See `SessionRows.exchange`; resolves the user as he is now. */
  exchangeToken(exchange: Exchange, begin: Begin): Promise<User | undefined>;
  endSession(handleHash: string, begin: Begin): Promise<void>;
  /** Whether this is, or was, a session of this user. */
  hasSession(handleHash: string, userId: string): Promise<boolean>;
  /** Changes the password and ends all sessions. Resolves false as `beginSession` does. */
  changePassword(verified: Account, passwordHash: string, begin: Begin): Promise<boolean>;
  /**
   * Erases a person: the account, its sessions, the answers kept for retries, and the bytes that they were written in.
   * Only the id stays, which orders hold. A second time changes nothing.
   * @param now RFC 3339
   * @throws Problem not-found when there never was such a user, forbidden for the last admin
   */
  erase(id: string, now: string, begin: Begin): Promise<void>;
}

/** A backup reads for seconds, or minutes where much is kept. */
const LOG_RETRY_MS = 1_000;

const USER = "id, name, email, role, created_at";

/**
 * All the SQL of users but that of sessions and keys.
 * @param monotonicMs see `createSessionRows`, as for `deletionNow`
 */
export function createUserStore(
  store: Store,
  monotonicMs = () => performance.now(),
  deletionNow: () => number = Date.now,
): UserStore {
  store.prepare("PRAGMA secure_delete = ON").get(); // who is erased, or changes a password, leaves no bytes behind
  newIdsAfter(store.prepare<[], { id: string | null }>("SELECT max(id) AS id FROM users").get()?.id);
  const sql = prepare(store);
  const sessions = createSessionRows(store, monotonicMs, deletionNow);

  function add(account: Account): boolean {
    return sql.insert.run({ ...account, canonical_email: canonicalEmail(account.email) }).changes === 1;
  }

  function hasOthers(email: string | undefined): boolean {
    return sql.anyOther.get(canonicalEmail(email ?? "")) !== undefined;
  }

  /** Sets the hash if it is still the one that was verified; with the same it changes nothing but tells. */
  function replaceHash({ id, password_hash }: Account, hash = password_hash): boolean {
    return sql.replaceHash.run(hash, id, password_hash).changes === 1;
  }

  return {
    find: async (id) => sql.find.get(id),
    findAccount: async (id) => sql.findAccount.get(id),
    findByEmail: async (email) => sql.findByEmail.get(canonicalEmail(email)),
    list: async (limit, after = "g") => sql.listAfter.all(after, limit),
    highestHashCost: async () => Number(sql.highestCost.get()?.cost ?? 0),
    hasOthers: async (email) => hasOthers(email),
    add: (account, begin, first, kept) =>
      store.write((unit) => {
        begin();
        if (!add(account)) throw emailTaken();
        if (first !== undefined) sessions.begin(account.id, first.hashes, first.expiresAt);
        if (kept !== undefined) unit.keepAnswer(kept.claim, kept.answer, account.id);
      }),
    addIfNoOthers: (accounts, email) =>
      store.write(() => {
        if (hasOthers(email)) return false;
        for (const account of accounts) add(account);
        return true;
      }),
    beginSession: (verified, { hashes, expiresAt }, rehashed, begin) =>
      store.write(() => {
        begin();
        if (!replaceHash(verified, rehashed)) return false;
        sessions.begin(verified.id, hashes, expiresAt);
        return true;
      }),
    exchangeToken: (exchange, begin) =>
      store.write(() => {
        begin();
        const userId = sessions.exchange(exchange);
        return userId === undefined ? undefined : sql.find.get(userId);
      }),
    endSession: (handleHash, begin) =>
      store.write(() => {
        begin();
        sessions.revoke(handleHash);
      }),
    hasSession: async (handleHash, userId) => sessions.isOf(handleHash, userId),
    changePassword: (verified, passwordHash, begin) =>
      store.write(() => {
        begin();
        if (!replaceHash(verified, passwordHash)) return false;
        sessions.revokeAllOf(verified.id);
        return true;
      }),
    async erase(id, now, begin) {
      await store.write((unit) => {
        begin();
        if (sql.wasErased.get(id) !== undefined) return;
        const user = sql.find.get(id);
        if (user === undefined) throw new Problem("not-found", "There is no such user.");
        if (user.role === "admin" && sql.otherAdmin.get(id) === undefined) {
          throw new Problem("forbidden", "The last admin cannot be erased: nobody could look after the shop.");
        }
        sql.erase.run(id);
        sql.noteErased.run(id, now);
        unit.forgetAnswers(id);
      });
      void emptyLog(store);
    },
  };
}

/** Empties the write-ahead log, as soon as nobody reads it who began before. */
async function emptyLog(store: Store): Promise<void> {
  while (!store.emptyLog()) await sleep(LOG_RETRY_MS, undefined, { ref: false });
}

/** The problem of an address that another account has. */
export function emailTaken(): Problem {
  return new Problem("email-taken", "There is an account with this e-mail address already.");
}

function prepare(store: Store) {
  return {
    find: store.prepare<[string], User>(`SELECT ${USER} FROM users WHERE id = ?`),
    findAccount: store.prepare<[string], Account>(`SELECT ${USER}, password_hash FROM users WHERE id = ?`),
    findByEmail: store.prepare<[string], Account>(`SELECT ${USER}, password_hash FROM users WHERE canonical_email = ?`),
    // No id comes after "g": ids are hexadecimal.
    listAfter: store.prepare<[string, number], User>(`SELECT ${USER} FROM users WHERE id < ? ORDER BY id DESC LIMIT ?`),
    // One look at the end of an index.
    highestCost: store.prepare<[], { cost: string }>(
      "SELECT substr(password_hash, 5, 2) AS cost FROM users ORDER BY substr(password_hash, 5, 2) DESC LIMIT 1",
    ),
    insert: store.prepare<[Account & { canonical_email: string }]>(
      `INSERT INTO users (id, name, email, canonical_email, role, password_hash, created_at)
       VALUES (:id, :name, :email, :canonical_email, :role, :password_hash, :created_at)
       ON CONFLICT (canonical_email) DO NOTHING`,
    ),
    replaceHash: store.prepare<[string, string, string]>(
      "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?",
    ),
    wasErased: store.prepare<[string]>("SELECT 1 FROM erased_users WHERE id = ?"),
    otherAdmin: store.prepare<[string]>("SELECT 1 FROM users WHERE role = 'admin' AND id <> ? LIMIT 1"),
    // The sessions go with it.
    erase: store.prepare<[string]>("DELETE FROM users WHERE id = ?"),
    noteErased: store.prepare<[string, string]>("INSERT INTO erased_users (id, erased_at) VALUES (?, ?)"),
    anyOther: store.prepare<[string]>("SELECT 1 FROM users WHERE canonical_email <> ? LIMIT 1"),
  };
}
