import { randomFillSync } from "node:crypto";

/** Random bytes are drawn for many at once, since each draw costs far more than its bytes. */
const pool = Buffer.alloc(4_096);
let used = pool.length;

/**
 * Random bytes for an id, which nobody can guess.
 * @param count at most 4,096
 * @returns a view, to be used at once: a later call may write over it
 */
export function randomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}
