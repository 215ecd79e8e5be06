import { Problem } from "../base/problem.ts";

/** What nearly every request looks like: plain segments, at most a slash at the end, then perhaps a query. */
const PLAIN = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)*\/?(?:\?|$)/;

/** What RFC 3986 allows in a path, percent signs to be looked at apart. */
const PATH = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/]+$/;

/** Slash, backslash and control characters: no part of a name, however they are written. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNFIT = /[/\\\u0000-\u001f\u007f]/;

/**
 * Refuses a request target whose path could mean one thing here and another thing behind us, before anything
 * decodes or routes it.
 * @param target as it stood in the request line
 * @throws Problem invalid-path for an empty or a dot segment, an encoded slash, backslash or control character, a
 *   broken percent-encoding, or what is no path at all; malformed-request for the absolute form, which is for proxies
 */
export function checkRawPath(target: string): void {
  if (PLAIN.test(target) && target.startsWith("/")) return;
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) {
    throw new Problem("malformed-request", "The request target names another server; this is not a proxy.", {
      headers: { Connection: "close" },
    });
  }
  const path = target.split("?", 1)[0] ?? "";
  if (!path.startsWith("/") || !PATH.test(path)) throw invalidPath("The path has a character that no path may have.");
  for (const segment of path.slice(1).replace(/\/$/, "").split("/")) checkSegment(segment, path);
}

function checkSegment(segment: string, path: string): void {
  const name = decode(segment);
  if (name === undefined) throw invalidPath("The path has a percent sign that encodes nothing.");
  if (name === "" && path !== "/") throw invalidPath("The path has an empty segment.");
  if (name === "." || name === "..") throw invalidPath("The path has a dot segment.");
  if (UNFIT.test(name)) throw invalidPath("The path has an encoded slash, backslash or control character.");
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function invalidPath(detail: string): Problem {
  return new Problem("invalid-path", detail);
}
