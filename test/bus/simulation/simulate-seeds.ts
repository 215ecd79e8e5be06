import { simulate } from "./world.ts";

export interface Failure {
  readonly seed: number;
  readonly message: string;
}

/** Runs seeds one after the other, in a thread of its own. @returns those that failed */
export default async function simulateSeeds({ first, count }: { first: number; count: number }): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    try {
      await simulate(seed);
    } catch (error) {
      failures.push({ seed, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return failures;
}
