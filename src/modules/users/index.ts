import { createDeletionClock } from "../../base/deletion-clock.ts";
import { Problem } from "../../base/problem.ts";
import { createSettledClock } from "../../base/settled-clock.ts";
import { timestampOf } from "../../base/timestamp.ts";
import type { HandlersOf } from "../../contract/contract.ts";
import { beginning } from "../../contract/in-time.ts";
import { pageOf } from "../../contract/schemas.ts";
import { continueIds } from "../../store/continue-ids.ts";
import { sql } from "../../store/sql.ts";
import type { Store } from "../../store/store.ts";
import type { Module, ModuleDeps } from "../module.ts";
import { createAttemptLimiter } from "./attempts/attempt-limiter.ts";
import { createFailureRows } from "./attempts/failure-rows.ts";
import type { users } from "./contract.ts";
import { type AdminSettings, ensureAdmin, refuseDemoUsers, seedDemoUsers } from "./first-users.ts";
import { createKeyStore } from "./keys/key-store.ts";
import { type KeyRotation, openSigningKeys, rotateSigningKey } from "./keys/signing-keys.ts";
import { createTokenIssuer, type TokenIssuer } from "./keys/token-issuer.ts";
import { createPasswordHasher, hashHere, type PasswordHasherOptions } from "./passwords/password-hasher.ts";
import { createRegistration } from "./registration.ts";
import { createSignIn } from "./sign-in.ts";
import { createUserStore, type UserStore } from "./store.ts";
import { maySee, type User } from "./user.ts";

export { DEMO_ADMIN, DEMO_USERS } from "./demo-users.ts";
export { readUserIds } from "./user-ids.ts";

export interface UsersSettings {
  readonly bcryptCost: number;
  readonly tokenTtlSeconds: number;
  /** How long a refresh token that is not used stays good. */
  readonly refreshTtlSeconds: number;
  /** Wrong passwords in a row for one account before it is slowed down. */
  readonly freeFailures: number;
  readonly jwtIssuer: string;
  readonly jwtAudience: string;
  /** PEM file of the key that signs tokens; without it a key is made and kept in the database. */
  readonly jwtKeyFile?: string | undefined;
  /** The first admin, made if there is no account with this address. */
  readonly admin?: AdminSettings | undefined;
  /** Refuse to start while a demo account can be signed in to by everybody. */
  readonly refusesDemoUsers?: boolean;
  /** Threads and queue of the password hashing, where they should not follow from the machine. */
  readonly hashing?: Omit<PasswordHasherOptions, "cost">;
  /** Milliseconds since some moment, by a clock that nobody sets. */
  readonly monotonicMs?: () => number;
}

/** Users: who there is, and the tokens that say so. */
export function createUsers({ store: file, settings, logger, now }: ModuleDeps<UsersSettings>): Module<typeof users> {
  const { admin, monotonicMs = () => performance.now() } = settings;
  const settledNow = createSettledClock(now, monotonicMs);
  const deletionNow = createDeletionClock(settledNow, monotonicMs, 0);
  const store = createUserStore(file, settledNow, deletionNow);
  const first = { store, passwords: hashHere(settings.bcryptCost), now };
  const passwords = createPasswordHasher({ ...settings.hashing, cost: settings.bcryptCost });
  const { freeFailures } = settings;
  const attempts = createAttemptLimiter({ rows: createFailureRows(file), freeFailures, now: settledNow });
  let prepared: TokenIssuer | undefined;

  function tokens(): TokenIssuer {
    if (prepared !== undefined) return prepared;
    throw new Problem("dependency-unavailable", "There is no key to sign tokens with yet.", { retryAfterSeconds: 1 });
  }

  const signIn = { ...settings, store, passwords, attempts, tokens, now };
  return {
    handlers: {
      ...createRegistration(signIn, file.answers),
      ...createSignIn(signIn),
      ...createLookUps(store, tokens),
      async eraseMe(_, ctx) {
        await store.erase(ctx.principal.id, timestampOf(now()), beginning(ctx));
        return {};
      },
    },
    subscriptions: [],
    async start() {
      await continueIds(file, sql`users`);
      const keys = await openSigningKeys({
        store: createKeyStore(file),
        keyFile: settings.jwtKeyFile,
        tokenTtlSeconds: settings.tokenTtlSeconds,
        now,
      });
      prepared = createTokenIssuer({
        issuer: settings.jwtIssuer,
        audience: settings.jwtAudience,
        ttlSeconds: settings.tokenTtlSeconds,
        keys,
        now,
      });
    },
    async inspect(isServing) {
      const own = isServing ? { ...first, passwords } : first;
      if (settings.refusesDemoUsers === true) await refuseDemoUsers(own);
      if (admin !== undefined) await ensureAdmin(admin, { ...own, logger });
    },
    seed: () => seedDemoUsers({ ...first, admin }),
    stop: () => passwords.stop(),
  };
}

/**
 * Begins the rotation of the signing key in users' database, which a process may be serving meanwhile.
 * @param leadSeconds from publishing the new key to signing with it
 */
export function rotateKeys(
  file: Store,
  times: { readonly leadSeconds: number; readonly tokenTtlSeconds: number },
  now: () => number = Date.now,
): Promise<KeyRotation> {
  return rotateSigningKey({ store: createKeyStore(file), ...times, now });
}

type LookUps = Pick<HandlersOf<typeof users>, "getMe" | "getUser" | "listUsers" | "getJwks">;

function createLookUps(store: UserStore, tokens: () => TokenIssuer): LookUps {
  return {
    getMe: async (_, { principal }) => found(await store.find(principal.id)),
    getUser: async ({ id }, { principal }) => found(maySee(principal, id) ? await store.find(id) : undefined),
    listUsers: async ({ limit, cursor }) => pageOf(await store.list(limit + 1, cursor), limit),
    getJwks: async () => ({ keys: await tokens().publicKeys() }),
  };
}

function found(user: User | undefined): User {
  if (user === undefined) throw new Problem("not-found", "There is no such user.");
  return user;
}
