import { Problem } from "../../contract/problem.ts";
import type { Store } from "../../store/store.ts";
import { type Account, canonicalEmail, type User } from "./user.ts";

/** A signing key as it is kept: PKCS #8 in PEM. */
export interface KeptKey {
  readonly kid: string;
  readonly private_key: string;
}

export interface UserStore {
  find(id: string): Promise<User | undefined>;
  /** The account that signs in with this address, whatever its case. */
  findByEmail(email: string): Promise<Account | undefined>;
  /** At most `limit` users, newest first, after the one with the id `after`. */
  list(limit: number, after: string | undefined): Promise<User[]>;
  /** @throws Problem email-taken when another account has the address */
  add(account: Account): Promise<void>;
  /** Whether there is any account beside the one with this address. */
  hasOthers(email: string | undefined): Promise<boolean>;
  /** Adds the accounts if there are no others beside the one with this address. Resolves whether it did. */
  addIfNoOthers(accounts: readonly Account[], email: string | undefined): Promise<boolean>;
  /** The keys that are not retired, newest first. */
  signingKeys(): Promise<KeptKey[]>;
  addSigningKey(key: KeptKey): Promise<void>;
}

const USER = "id, name, email, role, created_at";

/** All the SQL of users. */
export function createUserStore(store: Store): UserStore {
  const findById = store.prepare<[string], User>(`SELECT ${USER} FROM users WHERE id = ?`);
  const findByEmail = store.prepare<[string], Account>(
    `SELECT ${USER}, password_hash FROM users WHERE canonical_email = ?`,
  );
  // No id comes after "g": ids are hexadecimal.
  const listAfter = store.prepare<[string, number], User>(
    `SELECT ${USER} FROM users WHERE id < ? ORDER BY id DESC LIMIT ?`,
  );
  const insert = store.prepare<[Account & { canonical_email: string }]>(
    `INSERT INTO users (id, name, email, canonical_email, role, password_hash, created_at)
     VALUES (:id, :name, :email, :canonical_email, :role, :password_hash, :created_at)
     ON CONFLICT (canonical_email) DO NOTHING`,
  );
  const anyOther = store.prepare<[string]>("SELECT 1 FROM users WHERE canonical_email <> ? LIMIT 1");
  const allKeys = store.prepare<[], KeptKey>(
    "SELECT kid, private_key FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, rowid DESC",
  );
  const insertKey = store.prepare<[string, string, string]>(
    "INSERT INTO signing_keys (kid, private_key, created_at) VALUES (?, ?, ?)",
  );

  function add(account: Account): boolean {
    return insert.run({ ...account, canonical_email: canonicalEmail(account.email) }).changes === 1;
  }

  function hasOthers(email: string | undefined): boolean {
    return anyOther.get(canonicalEmail(email ?? "")) !== undefined;
  }

  return {
    find: async (id) => findById.get(id),
    findByEmail: async (email) => findByEmail.get(canonicalEmail(email)),
    list: async (limit, after = "g") => listAfter.all(after, limit),
    hasOthers: async (email) => hasOthers(email),
    signingKeys: async () => allKeys.all(),
    add: (account) =>
      store.write(() => {
        if (!add(account)) throw emailTaken();
      }),
    addIfNoOthers: (accounts, email) =>
      store.write(() => {
        if (hasOthers(email)) return false;
        for (const account of accounts) add(account);
        return true;
      }),
    addSigningKey: ({ kid, private_key }) =>
      store.write(() => {
        insertKey.run(kid, private_key, new Date().toISOString());
      }),
  };
}

/** The problem of an address that another account has. */
export function emailTaken(): Problem {
  return new Problem("email-taken", "There is an account with this e-mail address already.");
}
