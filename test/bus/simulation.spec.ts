import { availableParallelism } from "node:os";
import { expect } from "chai";
import { Piscina } from "piscina";
import { extent } from "../support/extent.ts";
import type { Failure } from "./simulation/simulate-seeds.ts";

/** `SIMULATION_SEED=123` replays one seed, `SIMULATION_SEEDS=50000` runs more than the usual ones. */
const only = process.env.SIMULATION_SEED;
const first = Number(only ?? 1);
const total =
  only === undefined ? Number(process.env.SIMULATION_SEEDS ?? extent("more seeds of the simulated log", 500, 100)) : 1;
const SEEDS_PER_RUN = 20;

describe("the protocol of the log, simulated", () => {
  it(`loses and doubles nothing, whatever fails: ${total} seeds from ${first} on`, async function () {
    this.timeout(0);
    const pool = new Piscina({
      filename: new URL("./simulation/simulate-seeds.ts", import.meta.url).href,
      maxThreads: Math.min(4, availableParallelism()),
    });
    const runs: Promise<Failure[]>[] = [];
    for (let seed = first; seed < first + total; seed += SEEDS_PER_RUN) {
      runs.push(pool.run({ first: seed, count: Math.min(SEEDS_PER_RUN, first + total - seed) }));
    }
    const failures = (await Promise.all(runs)).flat();
    await pool.destroy();
    const [failure] = failures;
    const replay = `SIMULATION_SEED=${failure?.seed} npx mocha test/bus/simulation.spec.ts`;
    expect(
      failures.length,
      `${failures.length} seeds fail; replay the first with: ${replay}\n${failure?.message}`,
    ).to.equal(0);
  });
});
