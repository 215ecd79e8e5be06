import { isProblem, Problem } from "../base/problem.ts";
import type { CallContext, Principal } from "../contract/context.ts";
import type { Access } from "../contract/contract.ts";

/** Whose call it is. */
export type Caller = Pick<CallContext, "principal" | "token">;

/** Whose token this is. @throws Problem invalid-token, or dependency-unavailable while the keys are not known */
export type VerifyToken = (token: string) => Principal | Promise<Principal>;

const NOBODY: Caller = { principal: null, token: null };

/**
 * @param readToken null where there is none
 * @returns what is wrong with the token, if anything is, to be told when its time comes
 */
export async function identify(readToken: () => string | null, verify: VerifyToken): Promise<Caller | Problem> {
  try {
    const token = readToken();
    if (token === null) return NOBODY;
    const verified = verify(token);
    return { principal: verified instanceof Promise ? await verified : verified, token };
  } catch (error) {
    if (isProblem(error)) return error;
    throw error;
  }
}

/**
 * Whose call it is to something with this access. What anybody may do is done for who sends a token that is no good, too, or a
 * client that always sends its own could never sign in again. One that cannot be checked now may be good.
 * @throws Problem what is wrong with the token
 */
export function callerOf(identified: Caller | Problem, access: Access | undefined): Caller {
  if (!isProblem(identified)) return identified;
  if (access === "public" && isProblem(identified, "invalid-token")) return NOBODY;
  throw identified;
}

/** The one rule of who may call what. @throws Problem unauthenticated, or forbidden */
export function requireAccess(access: Access, principal: Principal | null): void {
  if (access === "public") return;
  if (principal === null) throw new Problem("unauthenticated", "This needs a signed-in user.");
  if (access === "admin" && principal.role !== "admin") throw new Problem("forbidden", "This needs an admin.");
}
