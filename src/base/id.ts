import { v7, validate, version } from "uuid";
import { randomBytes } from "./random-bytes.ts";

/** Where ids come from: each is greater than all before it, whatever the clock does. */
export interface IdSource {
  /** A new UUIDv7 (RFC 9562). */
  next(): string;
  /**
   * Ids to come are greater than this one too, which another process may have made by a clock that was ahead; what is
   * no UUIDv7 is passed over.
   */
  goOnAfter(id: string | null | undefined): void;
}

/** The counter that begins a millisecond leaves its upper half to count on. */
const LAST_COUNT = 0xffff_ffff;

/**
 * Ids are in the order in which they were made, within a millisecond too, by a counter from a random start (RFC 9562,
 * section 6.2, method 1). When the clock is set back, the last millisecond goes on being counted in.
 * @param now milliseconds since 1970
 */
export function createIdSource(now: () => number): IdSource {
  let last = "";
  let msecs = 0;
  let seq = LAST_COUNT;
  return {
    next() {
      const random = randomBytes(16);
      const nowMs = now();
      if (nowMs > msecs || seq === LAST_COUNT) {
        msecs = Math.max(nowMs, msecs + 1);
        seq = random.readUInt32BE() >>> 1;
      } else seq += 1;
      last = v7({ msecs, seq, random });
      return last;
    },
    goOnAfter(id) {
      if (!id || id <= last || !validate(id) || version(id) !== 7) return;
      last = id;
      msecs = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
      seq = LAST_COUNT; // what was counted up to is not read out of it: the next id is of another millisecond
    },
  };
}

const ids = createIdSource(() => Date.now());

/** A new id, greater than all that this process has made, and than those in the stores that it has opened. */
export function newId(): string {
  return ids.next();
}

/** See `IdSource.goOnAfter`: for a store's greatest id, when it is opened. */
export function newIdsAfter(id: string | null | undefined): void {
  ids.goOnAfter(id);
}
