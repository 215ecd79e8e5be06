import fc from "fast-check";
import { type Api, createApi } from "../support/api.ts";
import type { Row, Tables } from "../support/databases.ts";
import { extent } from "../support/extent.ts";
import { missingPostgres } from "../support/postgres.ts";
import { twoOfEach } from "../support/replicas.ts";
import { fourProcesses, oneProcess, type Shop, type Topology } from "../support/topology.ts";
import { type Call, program, runProgram } from "./program.ts";
import { createStage } from "./scenario.ts";
import { readState, type Views, viewOf, withState } from "./state.ts";
import { assertSame, Transcript } from "./transcript.ts";

const isFull = process.env.PARITY === "full";

/** `PARITY_RUNS=100 PARITY_SEED=… npx mocha test/parity/programs.spec.ts` */
const usualRuns = isFull ? 50 : extent("parity: more random programs", 5, 2);
const runs = Number(process.env.PARITY_RUNS ?? usualRuns);
const seed = process.env.PARITY_SEED === undefined ? {} : { seed: Number(process.env.PARITY_SEED) };

describe("parity: random programs", function () {
  this.timeout(180_000 + runs * 60_000);
  const others: Topology[] = [fourProcesses];
  if (isFull && missingPostgres() === undefined) others.push(twoOfEach);
  let shops: { shop: Shop; api: Api }[] = [];

  before(async () => {
    const started = await Promise.all([oneProcess, ...others].map((topology) => topology.start()));
    shops = started.map((shop) => ({ shop, api: createApi(shop.url) }));
  });

  after(async () => {
    await Promise.all(shops.map(({ api }) => api.close()));
    await Promise.all(shops.map(({ shop }) => shop.stop()));
  });

  it(`${runs} of 20 to 60 calls go the same way in one process and in ${others.map(({ name }) => name).join(" and ")}`, async () => {
    let count = 0;
    const goesTheSame = fc.asyncProperty(program, async (calls) => {
      count += 1;
      const name = `of-run-${count}`;
      const [one, ...seen] = await Promise.all(shops.map(({ shop, api }) => play(calls, name, shop, api)));
      for (const [at, topology] of others.entries()) {
        const compared = viewOf(topology);
        assertSame(topology.name, seen[at]?.[compared] ?? [], one?.[compared] ?? []);
      }
    });
    await fc.assert(goesTheSame, { numRuns: runs, ...seed });
  });
});

/** Runs a program in a shop that has seen others: only what it has added to the databases is told. */
async function play(calls: readonly Call[], name: string, shop: Shop, api: Api): Promise<Views> {
  const transcript = new Transcript();
  const before = await readState(shop);
  await runProgram(calls, name, createStage(name, shop, api, transcript));
  await shop.settled();
  return withState(transcript, added(before, await readState(shop)));
}

function added(before: Readonly<Record<string, Tables>>, after: Readonly<Record<string, Tables>>) {
  const news = (module: string, table: string, rows: readonly Row[]): Row[] => {
    const known = new Set(before[module]?.[table]?.map((row) => JSON.stringify(row)));
    return rows.filter((row) => !known.has(JSON.stringify(row)));
  };
  return mapValues(after, (tables, module) => mapValues(tables, (rows, table) => news(module, table, rows)));
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
