import { v7 } from "uuid";
import { randomBytes } from "./random-bytes.ts";

/** The millisecond of the last id, and how many have been made in it, from a random start. */
let msecs = 0;
let seq = 0;

/**
 * A new UUIDv7 (RFC 9562). Ids of one process are in the order in which they were made, within a millisecond too, by a
 * counter (section 6.2, method 1).
 */
export function newId(): string {
  const random = randomBytes(16);
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    seq = random.readUInt32BE() >>> 1; // the upper half is left to count on
  } else seq += 1;
  return v7({ msecs, seq, random });
}
