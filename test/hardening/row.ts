import type { Target } from "./target.ts";

/** One row of "Bad inputs and attacks". */
export interface Row {
  /** What is sent. */
  readonly input: string;
  /** What is told about it. */
  readonly answer: string;
  /** Tries it in all ways; throws at the first that is answered otherwise. Resolves how many ways there were. */
  run(target: Target): Promise<number>;
}

/** Runs one by one what is to be tried, and counts it. */
export async function tryAll<T>(ways: Iterable<T>, attempt: (way: T) => Promise<void>): Promise<number> {
  let count = 0;
  for (const way of ways) {
    await attempt(way);
    count += 1;
  }
  return count;
}
