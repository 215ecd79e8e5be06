import { isUtf8 } from "node:buffer";
import { Problem } from "../base/problem.ts";

const MAX_DEPTH = 32;

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** A number with an exponent, or a very long one. */
const MAY_OVERFLOW = /[[:,\s]-?[\d.]*\d[eE]\+?\d|\d{309}/;

/**
 * Reads JSON (RFC 8259) without the freedoms on which two readers could disagree. `JSON.parse` keeps the last of
 * equal members, so duplicates show as members that the text has and the value has not; that compares names as
 * decoded, at the cost of one scan.
 * @throws Problem invalid-json for anything but UTF-8 without a byte order mark, broken JSON, an object with the
 *   same member twice, or nesting beyond 32
 */
export function parseStrictJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new Problem("invalid-json", "The body is not UTF-8.");
  const text = bytes.toString();
  const members = countWrittenMembers(text);
  const value = parse(text);
  if (countMembers(value) !== members) {
    throw new Problem("invalid-json", "The body has an object with the same member twice.");
  }
  return MAY_OVERFLOW.test(text) ? JSON.parse(text, withinRange) : value;
}

/**
 * A number too large for a double is read as Infinity, which JSON cannot write: on its way to another process it would
 * turn into null. The largest double stands for it, which is too large for every schema all the same.
 */
function withinRange(_member: string, value: unknown): unknown {
  return value === Infinity ? Number.MAX_VALUE : value === -Infinity ? -Number.MAX_VALUE : value;
}

/** @throws Problem invalid-json when nested too deeply, also where the text is broken further on */
function countWrittenMembers(text: string): number {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case COLON:
        members++;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > MAX_DEPTH) {
          throw new Problem("invalid-json", `The body is nested more than ${MAX_DEPTH} levels deep.`);
        }
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
    }
  }
  return members;
}

/** Where the string that starts at `start` ends; the end of a text that leaves it open. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return text.length;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const detail = text.trim() === "" ? "The body is empty; JSON is expected." : "The body is not valid JSON.";
    throw new Problem("invalid-json", detail);
  }
}

/** Recursive, which the limit of depth makes safe. */
function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item);
    return members;
  }
  for (const name of Object.keys(value)) members += 1 + countMembers((value as Record<string, unknown>)[name]);
  return members;
}
