import type { IncomingMessage } from "node:http";
import { Problem } from "../base/problem.ts";
import { lingerOnClose } from "./linger.ts";
import { parseStrictJson } from "./strict-json.ts";

export interface BodyOptions {
  readonly limitBytes: number;
  /** Whether the operation takes a body at all. */
  readonly expected: boolean;
}

/** `application/json`, whose only parameter may be the charset that JSON has anyway. */
const JSON_TYPE = /^application\/json[\t ]*(?:;[\t ]*(?:charset=(?:utf-8|"utf-8")[\t ]*)?)?$/i;

/**
 * Reads the body of a request.
 * @returns its JSON value; where no body is expected, undefined, or null if one was sent all the same that says anything:
 *   many clients send `{}` with every request
 * @throws Problem unsupported-media-type, payload-too-large (without reading more than the limit; the connection is
 *   closed after the answer) or invalid-json, checked in this order; malformed-request when the client goes away
 */
export async function readBody(req: IncomingMessage, options: BodyOptions): Promise<unknown> {
  if (options.expected) checkMediaType(req);
  if (!announcesBody(req)) return options.expected ? parseStrictJson(Buffer.alloc(0)) : undefined;
  if (Number(req.headers["content-length"]) > options.limitBytes) throw tooLarge(req, options.limitBytes);
  const bytes = await readBytes(req, options.limitBytes);
  if (options.expected) return parseStrictJson(bytes);
  return bytes.length === 0 || /^\s*\{\s*\}\s*$/.test(bytes.toString("latin1")) ? undefined : null;
}

/** RFC 9112, 6.3: a request without either header has no body. */
function announcesBody(req: IncomingMessage): boolean {
  const length = req.headers["content-length"];
  return req.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

function checkMediaType(req: IncomingMessage): void {
  const { "content-type": type, "content-encoding": encoding = "identity" } = req.headers;
  if (type === undefined ? announcesBody(req) : !JSON_TYPE.test(type)) {
    throw new Problem("unsupported-media-type", "The body must be application/json in UTF-8.");
  }
  if (encoding.toLowerCase() !== "identity") {
    throw new Problem("unsupported-media-type", "The body must be sent without a Content-Encoding.");
  }
}

/**
 * Reads what a request carries, as it is.
 * @throws Problem payload-too-large, without reading more than the limit; malformed-request when the client goes away
 */
export function readBytes(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Problem("malformed-request", "The connection ended before the body did."));
    const chunks: Buffer[] = [];
    let size = 0;
    const collect = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limitBytes) return;
      req.off("data", collect);
      reject(tooLarge(req, limitBytes));
    };
    if (req.destroyed) return gone();
    req.on("data", collect);
    req.once("end", () => {
      req.off("close", gone); // it comes after every end, too, and a problem costs its stack
      resolve(chunks[0] !== undefined && chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    });
    req.once("close", gone);
  });
}

/**
 * Lets go of a body that nobody has read and that may be large, or that the client was not told to send (`Expect`).
 * What is left of a small one Node reads and drops, and the connection goes on.
 * @returns whether the connection is to be closed with the answer
 */
export function abandonBody(req: IncomingMessage, limitBytes: number): boolean {
  if (req.complete || req.destroyed || !announcesBody(req)) return false;
  const { "content-length": length, expect } = req.headers;
  if (expect === undefined && Number(length) <= limitBytes) return false;
  lingerOnClose(req);
  return true;
}

function tooLarge(req: IncomingMessage, limitBytes: number): Problem {
  lingerOnClose(req);
  return new Problem("payload-too-large", `The body may have at most ${limitBytes} bytes.`, {
    headers: { Connection: "close" },
  });
}
