import type { SortedLines } from "./sorted-lines.ts";

/** bcrypt reads no more of a password than this, so a longer one would be cut without a word. */
const MAX_BYTES = 72;
const MIN_CHARACTERS = 12;

/** The form in which two passwords are the same: keyboards differ in how they write an `é` (RFC 8265, OpaqueString). */
export function canonicalPassword(password: string): string {
  return password.normalize("NFC");
}

/**
 * What is wrong with a password that somebody wants to choose.
 * @param common the passwords that are tried first by those who guess, in lower case
 * @returns one sentence that says which rule it breaks, or undefined when it may be chosen
 */
export function passwordWeakness(password: string, common: SortedLines): string | undefined {
  if ([...password].length < MIN_CHARACTERS) return `The password must have at least ${MIN_CHARACTERS} characters.`;
  if (!fitsHash(password)) return `The password must have at most ${MAX_BYTES} bytes of UTF-8.`;
  if (isCommon(password, common)) return "The password is among the most common ones, or just two of them in a row.";
  return undefined;
}

/** Whether the hash covers all of the password; one that is longer was never chosen. */
export function fitsHash(password: string): boolean {
  return Buffer.byteLength(password) <= MAX_BYTES;
}

/** Few common passwords have twelve characters; guessers get there by joining two: `password12345`. */
function isCommon(password: string, common: SortedLines): boolean {
  const lower = password.toLowerCase();
  if (common.has(lower)) return true;
  for (let at = 1; at < lower.length; at++) {
    if (common.has(lower.slice(0, at)) && common.has(lower.slice(at))) return true;
  }
  return false;
}
