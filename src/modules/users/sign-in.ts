import { Problem } from "../../base/problem.ts";
import { timestampOf } from "../../base/timestamp.ts";
import type { CallContext } from "../../contract/context.ts";
import type { HandlersOf } from "../../contract/contract.ts";
import { beginning } from "../../contract/in-time.ts";
import type { AttemptLimiter } from "./attempts/attempt-limiter.ts";
import { laneOfAddress, laneOfSession, laneOfUser } from "./attempts/lanes.ts";
import { type Session, users } from "./contract.ts";
import type { TokenIssuer } from "./keys/token-issuer.ts";
import { loadCommonPasswords } from "./passwords/common-passwords.ts";
import { canonicalPassword, fitsHash, passwordWeakness } from "./passwords/password.ts";
import type { PasswordHasher } from "./passwords/password-hasher.ts";
import { newSessionToken, nextToken, type RefreshToken, readRefreshToken, sha256 } from "./sessions/refresh-token.ts";
import type { IssuedToken, UserStore } from "./store.ts";
import type { Account, User } from "./user.ts";

export interface SignInDeps {
  readonly store: UserStore;
  readonly passwords: PasswordHasher;
  readonly attempts: AttemptLimiter;
  /** @throws Problem dependency-unavailable while there is no key */
  readonly tokens: () => TokenIssuer;
  readonly tokenTtlSeconds: number;
  readonly refreshTtlSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

type SignIn = Pick<HandlersOf<typeof users>, "loginUser" | "refreshSession" | "logoutUser" | "changePassword">;

/** The ways in and out for who has an account. */
export function createSignIn(deps: SignInDeps): SignIn {
  const { store, attempts } = deps;
  return {
    async loginUser({ email, password, refresh_token }, ctx) {
      const lane = await laneOf(email, refresh_token, deps);
      const session = await attempts.attempt(lane, () => logIn(email, canonicalPassword(password), deps, ctx));
      if (session === undefined) throw invalidCredentials("The e-mail address or the password is wrong.");
      return session;
    },
    async refreshSession({ refresh_token, idempotencyKey }, ctx) {
      const presented = readRefreshToken(refresh_token);
      const session = presented && (await exchange(presented, idempotencyKey, deps, ctx));
      if (session === undefined) throw new Problem("invalid-token", "The refresh token is not good, or no longer.");
      return session;
    },
    async logoutUser({ refresh_token }, ctx) {
      const presented = readRefreshToken(refresh_token);
      if (presented !== undefined) await store.endSession(presented.handleHash, beginning(ctx));
      return {};
    },
    async changePassword(input, ctx) {
      const { id } = ctx.principal;
      const password = await acceptable(input.new_password);
      const current = canonicalPassword(input.current_password);
      if (
        (await attempts.attempt(laneOfUser(id), () => changePassword(id, current, password, deps, ctx))) === undefined
      ) {
        throw invalidCredentials("The current password is wrong.");
      }
      return {};
    },
  };
}

/** A password that may be chosen, in the form that is hashed. @throws Problem weak-password */
export async function acceptable(chosen: string): Promise<string> {
  const password = canonicalPassword(chosen);
  const fault = passwordWeakness(password, await loadCommonPasswords());
  if (fault !== undefined) throw users.problem("weak-password", fault);
  return password;
}

/**
 * What the failures of a sign-in count against: the address that is tried, whether it has an account or not; but for
 * a device that shows a token of a session it had, that session alone, so that strangers do not slow it down.
 */
async function laneOf(email: string, refreshToken: string | undefined, { store }: SignInDeps): Promise<string> {
  const known = refreshToken === undefined ? undefined : readRefreshToken(refreshToken);
  const account = known && (await store.findByEmail(email));
  if (known !== undefined && account !== undefined && (await store.hasSession(known.handleHash, account.id))) {
    return laneOfSession(known.handleHash);
  }
  return laneOfAddress(email);
}

/** Resolves undefined when the password is wrong. */
async function logIn(
  email: string,
  password: string,
  deps: SignInDeps,
  ctx: CallContext,
): Promise<Session | undefined> {
  const { store } = deps;
  for (;;) {
    const account = await verified(password, await store.findByEmail(email), deps);
    if (account === undefined) return undefined;
    const token = newSessionToken();
    const rehashed = await rehash(password, account.password_hash, deps);
    if (await store.beginSession(account, issuedNow(token, deps), rehashed, beginning(ctx)))
      return sessionOf(account, token, deps);
    // Meanwhile another has changed the password, or its cost: it is looked at again.
  }
}

/** Resolves undefined when the current password is wrong. */
async function changePassword(
  id: string,
  current: string,
  password: string,
  deps: SignInDeps,
  ctx: CallContext,
): Promise<true | undefined> {
  for (;;) {
    const account = await verified(current, await deps.store.findAccount(id), deps);
    if (account === undefined) return undefined;
    const hash = await deps.passwords.hash(password);
    if (await deps.store.changePassword(account, hash, beginning(ctx))) return true;
  }
}

/** The account if this is its password; if not, it takes as long whether there is an account or not. */
async function verified(
  password: string,
  account: Account | undefined,
  { store, passwords }: SignInDeps,
): Promise<Account | undefined> {
  const hash = fitsHash(password) ? account?.password_hash : undefined;
  return (await passwords.matches(password, hash, await store.highestHashCost())) ? account : undefined;
}

/** A hash at the cost that is set now, where the kept one has another. */
async function rehash(password: string, hash: string, { passwords }: SignInDeps): Promise<string | undefined> {
  if (passwords.isUpToDate(hash)) return undefined;
  // With too many passwords waiting it is left to another time: this one is right, after all.
  return passwords.hash(password).catch(() => undefined);
}

/** Resolves undefined when the token is not good. */
async function exchange(
  presented: RefreshToken,
  key: string | undefined,
  deps: SignInDeps,
  ctx: CallContext,
): Promise<Session | undefined> {
  const next = nextToken(presented.text);
  const { hashes, ...times } = issuedNow(next, deps);
  const keyHash = key === undefined ? undefined : sha256(key);
  const exchange = { presented, next: hashes, keyHash, ...times };
  const user = await deps.store.exchangeToken(exchange, beginning(ctx));
  return user && sessionOf(user, next, deps);
}

/** What a user gets who has signed in with this token. @throws Problem dependency-unavailable while there is no key */
export async function sessionOf(user: User, { text }: RefreshToken, deps: SignInDeps): Promise<Session> {
  return {
    user,
    token: await deps.tokens().issue(user),
    token_type: "Bearer",
    expires_in: deps.tokenTtlSeconds,
    refresh_token: text,
  };
}

/** What is kept of a token that is issued now. */
export function issuedNow(hashes: RefreshToken, { now, refreshTtlSeconds }: SignInDeps): IssuedToken {
  const nowMs = now();
  return {
    hashes,
    now: timestampOf(nowMs),
    expiresAt: timestampOf(nowMs + refreshTtlSeconds * 1_000),
  };
}

function invalidCredentials(detail: string): Problem {
  return users.problem("invalid-credentials", detail);
}
