import { createHash } from "node:crypto";
import type { Context, Next } from "koa";

/** What every answer tells a browser. It is data: nothing in it may be run or framed, whatever a browser takes it for. */
export const DATA_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
};

const OF_EVERY_ANSWER = Object.entries(DATA_HEADERS);

/** Our own pages load from here alone, and nobody frames them. */
const PAGE_POLICY =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * Middleware that tells browsers what not to do with our answers, in every answer, failures too. Strict-Transport-Security
 * only where the connection is secure, for on plain HTTP browsers must ignore it (RFC 6797, 8.1).
 */
export function securityHeaders(koa: Context, next: Next): Promise<unknown> {
  const { res } = koa;
  for (const [name, value] of OF_EVERY_ANSWER) res.setHeader(name, value);
  if (koa.secure) res.setHeader("Strict-Transport-Security", `max-age=${YEAR_SECONDS}`);
  return next();
}

/**
 * Says that this path is a page of ours, whatever becomes of the request. It hangs on the path and not on the type of the
 * answer: a 304 has none, and a browser gives the page that it has kept the headers of the 304 (RFC 9111, 4.3.4).
 * @param policy of `pagePolicy`
 */
export function answerAsPage(koa: Context, policy: string): void {
  koa.set("Content-Security-Policy", policy);
}

/**
 * The Content-Security-Policy of a page: what it loads comes from here, and of what stands in it its own styles and scripts count.
 * @param html the page, whose `<style>` and `<script>` elements are allowed by the hash of each (CSP 3, 8.3)
 * @param more what it needs beyond that
 */
export function pagePolicy(html: string, ...more: readonly string[]): string {
  const own = [
    allow("style-src", html.matchAll(/<style>(.*?)<\/style>/gs)),
    allow("script-src", html.matchAll(/<script>(.*?)<\/script>/gs)),
  ];
  return [PAGE_POLICY, ...own.flat(), ...more].join("; ");
}

function allow(directive: string, elements: Iterable<RegExpExecArray>): string[] {
  const hashes = Array.from(elements, ([, content = ""]) => `'sha256-${hashOf(content)}'`);
  return hashes.length === 0 ? [] : [`${directive} 'self' ${hashes.join(" ")}`];
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
