import { Problem } from "../../base/problem.ts";
import { claimOf } from "../../contract/claim.ts";
import type { HandlersOf } from "../../contract/contract.ts";
import { beginning } from "../../contract/in-time.ts";
import type { Answers } from "../../store/store.ts";
import { laneOfAddress } from "./attempts/lanes.ts";
import type { Session, users } from "./contract.ts";
import { canonicalPassword, fitsHash } from "./passwords/password.ts";
import { seal, unseal } from "./sealed-answer.ts";
import { newSessionToken, sha256 } from "./sessions/refresh-token.ts";
import { acceptable, issuedNow, type SignInDeps, sessionOf } from "./sign-in.ts";
import { emailTaken, type IssuedToken } from "./store.ts";
import { type Account, newAccount } from "./user.ts";

/** All of a new account, before it is kept. */
interface Prepared {
  readonly account: Account;
  readonly first: IssuedToken;
  readonly session: Session;
}

/** What is kept for retries: the answer, which holds tokens and so is sealed, and the hash of the password that it takes. */
interface Registered {
  readonly session: Session;
  readonly passwordHash: string;
}

/** Nobody has signed in yet, so all registrations have their keys in common. */
const ANYBODY = "anybody";

/** The way in for who has no account yet. */
export function createRegistration(deps: SignInDeps, answers: Answers): Pick<HandlersOf<typeof users>, "registerUser"> {
  return {
    async registerUser({ idempotencyKey: key, password, ...person }, ctx) {
      if (key === undefined) {
        const { account, first, session } = await newCustomer(person, password, deps);
        await deps.store.add(account, beginning(ctx), first);
        return session;
      }
      const claim = claimOf(ANYBODY, "registerUser", { ...person, idempotencyKey: sha256(key) });
      const register = async () => {
        const { account, first, session } = await newCustomer(person, password, deps);
        const answer = { sealed: seal({ session, passwordHash: account.password_hash } satisfies Registered, key) };
        await deps.store.add(account, beginning(ctx), first, claim && { claim, answer });
        return answer;
      };
      const kept = await answers.once(claim, register, ctx.askedAt);
      const { session, passwordHash } = unseal(kept.sealed, key) as Registered;
      if (kept.replayed !== true) return session;
      await requireSame(password, passwordHash, person.email, deps);
      return { ...session, replayed: true };
    },
  };
}

/** @throws Problem weak-password, email-taken */
async function newCustomer(
  { name, email }: Pick<Account, "name" | "email">,
  chosen: string,
  deps: SignInDeps,
): Promise<Prepared> {
  const password = await acceptable(chosen);
  // Spares the hash; whether the address is free is decided when the account is added.
  if ((await deps.store.findByEmail(email)) !== undefined) throw emailTaken();
  const account = newAccount({ name, email, role: "customer" }, await deps.passwords.hash(password), deps.now());
  const token = newSessionToken();
  return { account, first: issuedNow(token, deps), session: await sessionOf(account, token, deps) };
}

/**
 * A claim holds no password, since a quick hash of one can be guessed. Nor can it be guessed here any oftener than by signing in.
 * @throws Problem idempotency-key-reused, too-many-attempts
 */
async function requireSame(
  chosen: string,
  hash: string,
  email: string,
  { passwords, attempts }: SignInDeps,
): Promise<void> {
  const password = canonicalPassword(chosen);
  const isSame = await attempts.attempt(laneOfAddress(email), async () => {
    return (fitsHash(password) && (await passwords.matches(password, hash, 0))) || undefined;
  });
  if (isSame === undefined) {
    throw new Problem("idempotency-key-reused", "This Idempotency-Key came with another request before.");
  }
}
