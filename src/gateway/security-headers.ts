import type { Context, Next } from "koa";

/** Data: nothing in it may be run or framed, whatever a browser takes it for. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Our own pages load from here alone, and nobody frames them. */
const PAGE_POLICY =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * Middleware that tells browsers what not to do with our answers, in every answer, failures too. Strict-Transport-Security
 * only where the connection is secure, for on plain HTTP browsers must ignore it (RFC 6797, 8.1).
 */
export async function securityHeaders(koa: Context, next: Next): Promise<void> {
  const { res } = koa;
  res.setHeader("X-Content-Type-Options", "nosniff");
  res.setHeader("Referrer-Policy", "no-referrer");
  res.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  res.setHeader("Cross-Origin-Resource-Policy", "same-origin");
  res.setHeader("Content-Security-Policy", DATA_POLICY);
  if (koa.secure) res.setHeader("Strict-Transport-Security", `max-age=${YEAR_SECONDS}`);
  await next();
  if (koa.response.type === "text/html") res.setHeader("Content-Security-Policy", policyOf(koa.state));
}

/** A page says for itself what else it needs, in `koa.state.pagePolicy`. */
function policyOf({ pagePolicy }: Context["state"]): string {
  return typeof pagePolicy === "string" ? `${PAGE_POLICY}; ${pagePolicy}` : PAGE_POLICY;
}
