import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../../base/problem.ts";
import type { Claim } from "../../contract/claim.ts";
import type { Begin } from "../../contract/in-time.ts";
import { type Query, sql } from "../../store/sql.ts";
import type { Store } from "../../store/store.ts";
import type { Reading, Unit, Work } from "../../store/unit.ts";
import { forgetLane } from "./attempts/failure-rows.ts";
import { laneOfAddress, laneOfUser } from "./attempts/lanes.ts";
import { users } from "./contract.ts";
import type { RefreshTokenHashes } from "./sessions/refresh-token.ts";
import { createSessionRows, type Exchange, type SessionRows } from "./sessions/session-rows.ts";
import { type Account, canonicalEmail, type User } from "./user.ts";

/** A refresh token that is issued now. */
export interface IssuedToken {
  readonly hashes: RefreshTokenHashes;
  /** RFC 3339, as all times here. */
  readonly expiresAt: string;
  readonly now: string;
}

/** What is kept for a retry of a registration. */
export interface KeptRegistration {
  readonly claim: Claim;
  readonly answer: object;
}

/** All that is kept of users but their keys. What changes together is one method and one unit of work. */
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
  /** Adds an account unless another has the address. Resolves whether it did. */
  addUnlessTaken(account: Account): Promise<boolean>;
  /** Adds the accounts if there are no others beside the one with this address. Resolves whether it did, and no other at the same moment. */
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

const USER = sql`id, name, email, role, created_at`;

/** Greater than every id, whose digits are hexadecimal. */
const AFTER_ALL_IDS = "g";

/**
 * All the SQL of users but that of sessions and keys.
 * @param settledNow see `createSessionRows`, as for `deletionNow`
 */
export function createUserStore(
  store: Store,
  settledNow: () => number = Date.now,
  deletionNow: () => number = Date.now,
): UserStore {
  store.overwriteDeleted(); // who is erased, or changes a password, leaves no bytes behind
  const sessions = createSessionRows(settledNow, deletionNow);
  const find = <Row>(query: Query<Row>) => store.read((reading) => reading.get(query));

  return {
    find: (id) => find(byId(id)),
    findAccount: (id) => find(sql<Account>`SELECT ${USER}, password_hash FROM users WHERE id = ${id}`),
    findByEmail: (email) =>
      find(sql<Account>`SELECT ${USER}, password_hash FROM users WHERE canonical_email = ${canonicalEmail(email)}`),
    list: (limit, after = AFTER_ALL_IDS) =>
      store.read((reading) =>
        reading.all(sql<User>`SELECT ${USER} FROM users WHERE id < ${after} ORDER BY id DESC LIMIT ${limit}`),
      ),
    async highestHashCost() {
      return Number((await find(HIGHEST_COST))?.cost ?? 0);
    },
    hasOthers: (email) => store.read((reading) => hasOthers(reading, email)),
    add: (account, begin, first, kept) =>
      store.write(function* (unit) {
        begin();
        if (!(yield* add(unit, account))) throw emailTaken();
        if (first !== undefined) yield* sessions.begin(unit, account.id, first.hashes, first.expiresAt);
        if (kept !== undefined) yield* unit.keepAnswer(kept.claim, kept.answer, account.id);
      }),
    addUnlessTaken: (account) => store.write((unit) => add(unit, account)),
    addIfNoOthers: (accounts, email) =>
      store.write(function* (unit) {
        if (yield* hasOthers(unit, email)) return false;
        let added = false;
        for (const account of accounts) added = (yield* add(unit, account)) || added;
        return added;
      }),
    beginSession: (verified, { hashes, expiresAt }, rehashed, begin) =>
      store.write(function* (unit) {
        begin();
        if (!(yield* replaceHash(unit, verified, rehashed))) return false;
        yield* sessions.begin(unit, verified.id, hashes, expiresAt);
        return true;
      }),
    exchangeToken: (exchange, begin) =>
      store.write(function* (unit) {
        begin();
        const userId = yield* sessions.exchange(unit, exchange);
        return userId === undefined ? undefined : yield* unit.get(byId(userId));
      }),
    endSession: (handleHash, begin) =>
      store.write(function* (unit) {
        begin();
        yield* sessions.revoke(unit, handleHash);
      }),
    hasSession: (handleHash, userId) => store.read((reading) => sessions.isOf(reading, handleHash, userId)),
    changePassword: (verified, passwordHash, begin) =>
      store.write(function* (unit) {
        begin();
        if (!(yield* replaceHash(unit, verified, passwordHash))) return false;
        yield* sessions.revokeAllOf(unit, verified.id);
        return true;
      }),
    async erase(id, now, begin) {
      await store.write(function* (unit) {
        begin();
        yield* erase(unit, id, now, sessions);
      });
      if (!(await store.emptyLog())) void keepEmptyingLog(store);
    },
  };
}

/** Empties the write-ahead log, as soon as nobody reads it who began before. */
async function keepEmptyingLog(store: Store): Promise<void> {
  do await sleep(LOG_RETRY_MS, undefined, { ref: false });
  while (!(await store.emptyLog()));
}

/** The problem of an address that another account has. */
export function emailTaken(): Problem {
  return users.problem("email-taken", "There is an account with this e-mail address already.");
}

function byId(id: string): Query<User> {
  return sql<User>`SELECT ${USER} FROM users WHERE id = ${id}`;
}

/** One look at the end of an index. */
const HIGHEST_COST = sql<{ cost: string }>`SELECT substr(password_hash, 5, 2) AS cost FROM users
  ORDER BY substr(password_hash, 5, 2) DESC LIMIT 1`;

function* add(unit: Unit, account: Account): Work<boolean> {
  const { id, name, email, role, password_hash, created_at } = account;
  const added = yield* unit.run(
    sql`INSERT INTO users (id, name, email, canonical_email, role, password_hash, created_at)
      VALUES (${id}, ${name}, ${email}, ${canonicalEmail(email)}, ${role}, ${password_hash}, ${created_at})
      ON CONFLICT (canonical_email) DO NOTHING`,
  );
  return added === 1;
}

function* hasOthers(reading: Reading, email: string | undefined): Work<boolean> {
  const other = yield* reading.get(
    sql`SELECT 1 FROM users WHERE canonical_email <> ${canonicalEmail(email ?? "")} LIMIT 1`,
  );
  return other !== undefined;
}

/** Sets the hash if it is still the one that was verified; with the same it changes nothing but tells. */
function* replaceHash(unit: Unit, { id, password_hash }: Account, hash = password_hash): Work<boolean> {
  const replaced = yield* unit.run(
    sql`UPDATE users SET password_hash = ${hash} WHERE id = ${id} AND password_hash = ${password_hash}`,
  );
  return replaced === 1;
}

function* erase(unit: Unit, id: string, now: string, sessions: SessionRows): Work<void> {
  // Of two admins who erase one another, one is left.
  if ((yield* unit.get(byId(id)))?.role === "admin") yield* unit.lock(ADMINS);
  const user = yield* unit.lock(byId(id));
  if (user === undefined) {
    if ((yield* unit.get(sql`SELECT 1 FROM erased_users WHERE id = ${id}`)) !== undefined) return;
    throw new Problem("not-found", "There is no such user.");
  }
  if (user.role === "admin" && (yield* unit.all(ADMINS)).length === 1) {
    throw new Problem("forbidden", "The last admin cannot be erased: nobody could look after the shop.");
  }
  yield* sessions.revokeAllOf(unit, id);
  yield* unit.run(sql`DELETE FROM users WHERE id = ${id}`); // the sessions go with it
  yield* unit.run(sql`INSERT INTO erased_users (id, erased_at) VALUES (${id}, ${now})`);
  yield* unit.forgetAnswers(id);
  for (const lane of [laneOfAddress(user.email), laneOfUser(id)]) yield* forgetLane(unit, lane);
}

/** Everybody locks them in the same order. */
const ADMINS = sql`SELECT id FROM users WHERE role = 'admin' ORDER BY id`;
