import { availableParallelism } from "node:os";
import { expect } from "chai";
import { Piscina } from "piscina";
import { extent } from "../support/extent.ts";
import type { PostgresFault } from "./simulation/postgres-faults.ts";
import type { Failure, Seeds } from "./simulation/simulate-seeds.ts";
import type { EpochPart } from "./simulation/simulated-postgres.ts";

/** `SIMULATION_SEED=123` replays one seed, `SIMULATION_SEEDS=50000` runs more than the usual ones. */
const only = process.env.SIMULATION_SEED;
const first = Number(only ?? 1);
const total =
  only === undefined ? Number(process.env.SIMULATION_SEEDS ?? extent("more seeds of the simulated log", 120, 50)) : 1;
const SEEDS_PER_RUN = 20;

/** What each part of an epoch in PostgreSQL is there for; about one seed in ten fails without it. */
const NEEDED: Readonly<Record<EpochPart, PostgresFault>> = {
  cluster: "dump elsewhere",
  timeline: "promotion",
  startedAt: "copied volume",
  table: "dump",
};
const MOST_SEEDS = 300;

describe("the protocol of the log, simulated", function () {
  this.timeout(0);
  let pool: Piscina<Seeds, Failure[]>;

  before(() => {
    pool = new Piscina({
      filename: new URL("./simulation/simulate-seeds.ts", import.meta.url).href,
      maxThreads: Math.min(4, availableParallelism()),
    });
  });
  after(() => pool.destroy());

  it(`loses and doubles nothing, whatever fails: ${total} seeds from ${first} on`, async () => {
    const runs: Promise<Failure[]>[] = [];
    for (let seed = first; seed < first + total; seed += SEEDS_PER_RUN) {
      runs.push(pool.run({ first: seed, count: Math.min(SEEDS_PER_RUN, first + total - seed) }));
    }
    const failures = (await Promise.all(runs)).flat();
    const [failure] = failures;
    const replay = `SIMULATION_SEED=${failure?.seed} npx mocha test/bus/simulation.spec.ts`;
    expect(
      failures.length,
      `${failures.length} seeds fail; replay the first with: ${replay}\n${failure?.message}`,
    ).to.equal(0);
  });

  for (const [without, often] of Object.entries(NEEDED) as [EpochPart, PostgresFault][]) {
    it(`fails where epochs in PostgreSQL leave out the part \`${without}\`: ${often}`, async () => {
      const failures: Failure[] = [];
      const findFailure = async (from: number): Promise<void> => {
        for (let seed = from; seed <= MOST_SEEDS && failures.length === 0; seed += pool.threads.length) {
          failures.push(...(await pool.run({ first: seed, count: 1, variant: { without, often } })));
        }
      };
      await Promise.all(pool.threads.map((_, index) => findFailure(1 + index)));
      expect(failures, `of ${MOST_SEEDS} seeds`).not.to.deep.equal([]);
    });
  }
});
