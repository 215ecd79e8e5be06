import type { Logger } from "pino";
import { StartRefusal } from "../module.ts";
import { DEMO_USERS } from "./demo-users.ts";
import { loadCommonPasswords } from "./passwords/common-passwords.ts";
import { canonicalPassword, passwordWeakness } from "./passwords/password.ts";
import type { PasswordHashing } from "./passwords/password-hasher.ts";
import type { UserStore } from "./store.ts";
import { newAccount } from "./user.ts";

export interface AdminSettings {
  readonly email: string;
  readonly password: string;
}

interface Deps {
  readonly store: UserStore;
  readonly passwords: PasswordHashing;
}

/**
 * Makes the first admin if there is no account with this address. An account that is there stays as it is: its
 * password may have been changed, and a customer who took the address is no admin.
 * @throws StartRefusal when the password may not be chosen
 */
export async function ensureAdmin(
  admin: AdminSettings,
  { store, passwords, logger, now }: Deps & { readonly logger: Logger; readonly now: () => number },
): Promise<void> {
  const present = await store.findByEmail(admin.email);
  if (present?.role === "customer") {
    logger.warn({ userId: present.id }, "the address of the first admin belongs to a customer, who stays one");
  }
  if (
    present?.role === "admin" &&
    !(await passwords.matches(canonicalPassword(admin.password), present.password_hash, 0))
  ) {
    logger.warn(
      { userId: present.id },
      "ADMIN_PASSWORD is not the password of the first admin, who is here already and keeps the other: change it by POST /users/me/password",
    );
  }
  if (present !== undefined) return;
  const fault = passwordWeakness(canonicalPassword(admin.password), await loadCommonPasswords());
  if (fault !== undefined) throw new StartRefusal(`The first admin cannot be made. ${fault}`);
  const hash = await passwords.hash(canonicalPassword(admin.password));
  const account = newAccount({ email: admin.email, name: "Admin", role: "admin" }, hash, now());
  if (await store.addUnlessTaken(account)) logger.info({ userId: account.id }, "the first admin was made");
}

/**
 * Sees to it that nobody signs in with a password that all the world can read.
 * @throws StartRefusal when there is a demo account that still has the password it was made with
 */
export async function refuseDemoUsers({ store, passwords }: Deps): Promise<void> {
  for (const { email, password } of DEMO_USERS) {
    const account = await store.findByEmail(email);
    if (account === undefined) continue;
    if (await passwords.matches(canonicalPassword(password), account.password_hash, 0)) {
      throw new StartRefusal(
        `users: ${email} still has its demo password, which everybody knows. Begin production with another DATA_DIR (or volume), or change the password first.`,
      );
    }
  }
}

/**
 * Writes the demo accounts if there are no accounts but the first admin's.
 * @returns what it wrote, in words, or undefined
 */
export async function seedDemoUsers({
  store,
  passwords,
  admin,
  now,
}: Deps & { readonly admin: AdminSettings | undefined; readonly now: () => number }): Promise<string | undefined> {
  if (DEMO_USERS.length === 0 || (await store.hasOthers(admin?.email))) return undefined;
  const hashes = await Promise.all(DEMO_USERS.map(({ password }) => passwords.hash(canonicalPassword(password))));
  // Ids are drawn once all is hashed, so that the accounts are listed in the same order everywhere.
  const accounts = DEMO_USERS.map((user, index) => newAccount(user, hashes[index] ?? "", now()));
  const wrote = await store.addIfNoOthers(accounts, admin?.email);
  return wrote ? `the accounts ${DEMO_USERS.map(({ email }) => email).join(" and ")}` : undefined;
}
