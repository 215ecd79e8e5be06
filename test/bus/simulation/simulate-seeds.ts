import { simulate, type Variant } from "./world.ts";

/** Seeds one after the other. */
export interface Seeds {
  readonly first: number;
  readonly count: number;
  readonly variant?: Variant;
}

export interface Failure {
  readonly seed: number;
  readonly message: string;
}

/** Runs seeds one after the other, in a thread of its own. @returns those that failed */
export default async function simulateSeeds({ first, count, variant }: Seeds): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    try {
      await simulate(seed, variant);
    } catch (error) {
      failures.push({ seed, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return failures;
}
