/** The tokens that were used first within the last while; for how long is measured by a clock that nobody sets. */
export interface RecentUses {
  /** Notes the first use of a token. */
  add(tokenHash: string): void;
  has(tokenHash: string): boolean;
}

/**
 * Kept in memory, where what is too old goes with each use.
 * @param forMs how long a use is recent, in milliseconds
 * @param monotonicMs milliseconds since some moment, such as `performance.now`
 */
export function createRecentUses(forMs: number, monotonicMs: () => number): RecentUses {
  /** By the token's hash, the oldest first. */
  const usedAtMs = new Map<string, number>();

  function forgetOld(): void {
    for (const [tokenHash, atMs] of usedAtMs) {
      if (monotonicMs() - atMs < forMs) break;
      usedAtMs.delete(tokenHash);
    }
  }

  return {
    add(tokenHash) {
      forgetOld();
      usedAtMs.delete(tokenHash); // a use that was never committed may be there: the new one comes last
      usedAtMs.set(tokenHash, monotonicMs());
    },
    has(tokenHash) {
      forgetOld();
      return usedAtMs.has(tokenHash);
    },
  };
}
