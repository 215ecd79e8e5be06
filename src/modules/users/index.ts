import type { HandlersOf } from "../../contract/contract.ts";
import { Problem } from "../../contract/problem.ts";
import { pageOf } from "../../contract/schemas.ts";
import type { Module, ModuleDeps } from "../module.ts";
import { loadCommonPasswords } from "./common-passwords.ts";
import type { users } from "./contract.ts";
import { type AdminSettings, ensureAdmin, seedDemoUsers } from "./first-users.ts";
import { canonicalPassword, fitsHash, passwordFault } from "./password.ts";
import { createPasswordHasher, type PasswordHasher, type PasswordHasherOptions } from "./password-hasher.ts";
import { loadSigningKeys } from "./signing-keys.ts";
import { createUserStore, emailTaken, type UserStore } from "./store.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";
import { maySee, newAccount, type User } from "./user.ts";

export interface UsersSettings {
  readonly bcryptCost: number;
  readonly tokenTtlSeconds: number;
  readonly jwtIssuer: string;
  readonly jwtAudience: string;
  /** PEM file of the key that signs tokens; without it a key is made and kept in the database. */
  readonly jwtKeyFile?: string | undefined;
  /** The first admin, made if there is no account with this address. */
  readonly admin?: AdminSettings | undefined;
  /** Threads and queue of the password hashing, where they should not follow from the machine. */
  readonly hashing?: Omit<PasswordHasherOptions, "cost">;
}

/** Users: who there is, and the tokens that say so. */
export function createUsers({ store: file, settings, logger }: ModuleDeps<UsersSettings>): Module<typeof users> {
  const store = createUserStore(file);
  const passwords = createPasswordHasher({ ...settings.hashing, cost: settings.bcryptCost });
  let prepared: TokenIssuer | undefined;

  function tokens(): TokenIssuer {
    if (prepared !== undefined) return prepared;
    throw new Problem("dependency-unavailable", "There is no key to sign tokens with yet.", { retryAfterSeconds: 1 });
  }

  return {
    handlers: createHandlers(store, passwords, tokens),
    subscriptions: [],
    async prepare() {
      prepared = createTokenIssuer({
        issuer: settings.jwtIssuer,
        audience: settings.jwtAudience,
        ttlSeconds: settings.tokenTtlSeconds,
        keys: await loadSigningKeys(store, settings.jwtKeyFile),
      });
      if (settings.admin !== undefined) await ensureAdmin(settings.admin, { store, passwords, logger });
    },
    seed: () => seedDemoUsers({ store, passwords, admin: settings.admin }),
    stop: () => passwords.stop(),
  };
}

function createHandlers(
  store: UserStore,
  passwords: PasswordHasher,
  tokens: () => TokenIssuer,
): HandlersOf<typeof users> {
  return {
    async registerUser({ name, email, ...input }) {
      const password = canonicalPassword(input.password);
      const fault = passwordFault(password, await loadCommonPasswords());
      if (fault !== undefined) throw new Problem("weak-password", fault);
      // Spares the hash; whether the address is free is decided when the account is added.
      if ((await store.findByEmail(email)) !== undefined) throw emailTaken();
      const account = newAccount({ name, email, role: "customer" }, await passwords.hash(password));
      await store.add(account);
      return tokens().open(account);
    },
    async loginUser({ email, ...input }) {
      const password = canonicalPassword(input.password);
      const account = await store.findByEmail(email);
      const hash = fitsHash(password) ? account?.password_hash : undefined;
      if (!(await passwords.matches(password, hash)) || account === undefined) {
        throw new Problem("invalid-credentials", "The e-mail address or the password is wrong.");
      }
      return tokens().open(account);
    },
    getMe: async (_, { principal }) => found(principal === null ? undefined : await store.find(principal.id)),
    getUser: async ({ id }, { principal }) => found(maySee(principal, id) ? await store.find(id) : undefined),
    listUsers: async ({ limit, cursor }) => pageOf(await store.list(limit + 1, cursor), limit),
    getJwks: () => ({ keys: tokens().publicKeys() }),
  };
}

function found(user: User | undefined): User {
  if (user === undefined) throw new Problem("not-found", "There is no such user.");
  return user;
}
