/** What came of a seed. */
export interface Proof {
  /** In words. */
  readonly told: string;
  /** What was other than wanted, in words; of a good one none. */
  readonly wrong: readonly string[];
  readonly moves: number;
  /** How long the gate was closed, of each move. */
  readonly gatesMs: readonly number[];
  /** The steps in the midst of which somebody was killed, as often as that was. */
  readonly killedAfter: readonly string[];
  /** What else there is to be looked at. */
  readonly details: readonly string[];
}

/** How often each of some names is there, in words. */
export function countOf(names: readonly string[]): string {
  const counts = [...Map.groupBy(names, (name) => name)].map(([name, some]) => `${name} ${some.length}`);
  return counts.sort().join(", ");
}
