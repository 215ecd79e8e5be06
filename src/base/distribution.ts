/**
 * How values are spread, as plain numbers: all that a Prometheus histogram tells. Costs a few comparisons for each value.
 */
export class Distribution {
  /** Upper bounds of the buckets, ascending; beyond the last there is one more. */
  readonly bounds: readonly number[];
  /** How many values each bucket has, the one without a bound included. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = [...bounds.map(() => 0), 0];
  }

  observe(value: number): void {
    const found = this.bounds.findIndex((bound) => value <= bound);
    const bucket = found === -1 ? this.bounds.length : found;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
  }
}
