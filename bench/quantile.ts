/** The middle of some numbers, in whatever order they come. */
export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** Of values in ascending order, by the nearest rank. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * Where the median of what was sampled lies with a probability of 95 % or more, whatever its distribution is: between two of the values,
 * so many from each end (https://en.wikipedia.org/wiki/Order_statistic). Of fewer than six values all of them.
 */
export function medianInterval(values: readonly number[]): readonly [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  let beyond = 0;
  let chance = 0.5 ** sorted.length; // that so many of the values are below the median
  for (let sum = chance; sum <= 0.025; sum += chance) {
    beyond += 1;
    chance *= (sorted.length - beyond + 1) / beyond;
  }
  const from = Math.max(0, beyond - 1);
  return [sorted[from] ?? Number.NaN, sorted[sorted.length - 1 - from] ?? Number.NaN];
}
