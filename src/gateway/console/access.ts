import type { Context } from "koa";
import { isProblem, Problem } from "../../base/problem.ts";
import { requireAccess, type VerifyToken } from "../../identity/access.ts";
import { readBearer } from "../../identity/token-verifier.ts";

/** The names of this machine that nobody else can claim: a name from the DNS may point here too. */
const OWN_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

export interface ConsoleAccess {
  /**
   * Lets a reader in.
   * @returns the admin's token, null where one click is enough
   * @throws Problem unauthenticated, invalid-token, forbidden; dependency-unavailable while tokens cannot be checked
   */
  admitReader(koa: Context): Promise<string | null>;
  /** Whether the token still lets its admin read. */
  isStillGood(token: string): Promise<boolean>;
  /** Whether one click signs this client in. */
  allowsOneClick(koa: Context): boolean;
}

/** @param oneClick whether one click may sign anyone in at all */
export function createConsoleAccess(verify: VerifyToken, oneClick: boolean): ConsoleAccess {
  const allowsOneClick = (koa: Context) => oneClick && comesFromOwnPage(koa);

  const requireAdmin = async (token: string) => requireAccess("admin", await verify(token));

  return {
    async admitReader(koa) {
      const token = readBearer(koa.headers.authorization);
      if (token !== null) await requireAdmin(token);
      else if (!allowsOneClick(koa)) throw new Problem("unauthenticated", "This needs a signed-in admin.");
      return token;
    },
    async isStillGood(token) {
      try {
        await requireAdmin(token);
        return true;
      } catch (error) {
        // Keys that cannot be fetched for a moment say nothing about the token.
        return isProblem(error, "dependency-unavailable", "upstream-timeout");
      }
    },
    allowsOneClick,
  };
}

/** True for a program or page of this very machine and origin, as far as a browser can be made to say. */
function comesFromOwnPage(koa: Context): boolean {
  const { host = "", origin, "sec-fetch-site": site = "none" } = koa.headers;
  if (!OWN_HOST.test(host)) return false;
  if (origin !== undefined && origin.toLowerCase() !== `${koa.protocol}://${host.toLowerCase()}`) return false;
  return site === "none" || site === "same-origin";
}
