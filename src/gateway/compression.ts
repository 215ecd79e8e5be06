import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Context, Next } from "koa";

/** Below this, a packet is saved at best. */
const THRESHOLD_BYTES = 1_024;

const ENCODERS: Readonly<Record<string, (text: string) => Promise<Buffer>>> = {
  br: (text) => promisify(brotliCompress)(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (text) => promisify(gzip)(text),
};

/**
 * Middleware that compresses large answers to GET (and tells HEAD the same), off the event loop, for clients that ask.
 *
 * Only whole texts: streams (the console's events, files, which are there compressed) pass as they are. Never what has
 * an `ETag`: ours are strong, and name one sequence of bytes. Never the answer to a POST: tokens are in those alone,
 * beside what the caller wrote, which is what BREACH lives on. In what is compressed there is no secret to guess, and no
 * page elsewhere can have a victim's browser ask for it, since no browser adds a bearer token by itself.
 */
export async function compressResponses(koa: Context, next: Next): Promise<void> {
  await next();
  const { body, method } = koa;
  if (typeof body !== "string" || (method !== "GET" && method !== "HEAD") || koa.res.hasHeader("ETag")) return;
  if (koa.length < THRESHOLD_BYTES) return;
  koa.vary("Accept-Encoding");
  if (koa.get("Accept-Encoding") === "") return;
  const encoding = koa.acceptsEncodings(["br", "gzip", "identity"]);
  const encode = encoding === false ? undefined : ENCODERS[encoding];
  if (encoding === false || encode === undefined) return;
  koa.body = await encode(body);
  koa.set("Content-Encoding", encoding);
}
