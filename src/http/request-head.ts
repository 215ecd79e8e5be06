import type { IncomingMessage } from "node:http";
import { Problem } from "../base/problem.ts";
import { HEAD_LIMIT_BYTES } from "../call/limits.ts";

/** What stands between and after method, target and version; and, counted for names and values alike, ": " or CRLF. */
const LINE_BYTES = 12;
const SEPARATOR_BYTES = 2;

/** A host name, an IPv4 address or an IPv6 address in brackets, then perhaps a port (RFC 9110, 7.2). */
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** The target as a proxy is given it (RFC 9112, 3.2.2): authority, then path and query. */
const ABSOLUTE_FORM = /^http:\/\/([^/?#]*)([/?].*)?$/i;

/** The versions whose messages this server reads. */
const VERSIONS = new Set(["1.0", "1.1"]);

/** Of these Node keeps the first and others the last, or joins them: two readers would see two requests. */
const SINGLE = new Set(["host", "authorization", "content-type", "idempotency-key"]);

/**
 * Looks for what Node's parser lets through although two readers could understand it differently, or although it is too
 * large. The absolute form of a target on this very host, which RFC 9112 has servers accept, is turned into a path.
 * @returns the problem to answer, malformed-request or header-too-large; undefined for a request that can be served
 */
export function problemOfHead(req: IncomingMessage): Problem | undefined {
  if (sizeOf(req) > HEAD_LIMIT_BYTES) return new Problem("header-too-large", "The headers have more than 16 KiB.");
  const fault = repeatedHeader(req) ?? faultOfHeaders(req) ?? faultOfTarget(req);
  return fault === undefined ? undefined : new Problem("malformed-request", fault);
}

/** Node counts names and values only, so that very many short headers would come to any size. */
function sizeOf({ method = "", url = "", rawHeaders }: IncomingMessage): number {
  let size = method.length + url.length + LINE_BYTES;
  for (const text of rawHeaders) size += text.length + SEPARATOR_BYTES;
  return size;
}

function repeatedHeader({ rawHeaders }: IncomingMessage): string | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? "";
    if (!SINGLE.has(name)) continue;
    if (seen.has(name)) return `The ${name} header is there twice.`;
    seen.add(name);
  }
  return undefined;
}

function faultOfHeaders({ headers, httpVersion }: IncomingMessage): string | undefined {
  const { host, "transfer-encoding": coding = "chunked" } = headers;
  if (!VERSIONS.has(httpVersion)) return "This is not a request of HTTP/1.0 or 1.1."; // Node takes 0.9 and 2.0, too
  // Nobody knows how an older reader on the way has understood it (RFC 9112, 6.1).
  if (httpVersion !== "1.1" && "transfer-encoding" in headers) return "HTTP/1.0 has no transfer codings.";
  if (host === undefined && httpVersion === "1.1") return "There is no Host header.";
  if (host !== undefined && !HOST.test(host)) return "The Host header is not a host.";
  if (coding.toLowerCase() !== "chunked") return "The only transfer coding that is understood is chunked.";
  return undefined;
}

function faultOfTarget(req: IncomingMessage): string | undefined {
  const { url = "/" } = req;
  if (url.startsWith("/")) return undefined;
  if (url === "*" && req.method === "OPTIONS") return undefined;
  const [, authority = "", path = "/"] = ABSOLUTE_FORM.exec(url) ?? [];
  if (authority === "" || authority.toLowerCase() !== req.headers.host?.toLowerCase()) {
    return "The request target names another server; this is not a proxy.";
  }
  req.url = path.startsWith("/") ? path : `/${path}`;
  return undefined;
}
