import { containers, whyNoContainers } from "../support/containers.ts";
import { isWholeRun, leftOut } from "../support/extent.ts";
import { movingFromOne, movingFromOneNowAndThen, movingFromThree } from "../support/moving.ts";
import { missingPgbouncer } from "../support/pgbouncer.ts";
import { missingPostgres } from "../support/postgres.ts";
import { twoOfEach, twoOfOne } from "../support/replicas.ts";
import {
  fourOnBoth,
  fourOnPostgres,
  fourProcesses,
  fourProcessesNodeFetch,
  fourThroughPooler,
  oneOnPostgres,
  oneProcess,
  oneProcessWithRedis,
  otherSplits,
  type Topology,
} from "../support/topology.ts";
import { groups } from "./groups.ts";
import { runGroup, type Seen } from "./run-group.ts";
import type { Group } from "./scenario.ts";
import { viewOf } from "./state.ts";
import { printTable, type Result } from "./table.ts";
import { assertSame } from "./transcript.ts";

/** `npm run parity` plays everything everywhere. `npm run test:all` plays it all in one process and in four, elsewhere what meets no fault. */
const isFull = process.env.PARITY === "full";
const isLong = isFull || isWholeRun;
const isCi = process.env.CI === "true";

const [withoutFaults] = groups;
if (!isLong) {
  leftOut.add(
    "parity on one process with Redis, four with node-fetch, all other splits, where modules move, two of each on PostgreSQL, and containers",
  );
}

function otherWays(group: Group): readonly Topology[] {
  const all = [oneProcessWithRedis, fourProcessesNodeFetch, ...otherSplits];
  return isFull || (isLong && group === withoutFaults) ? all : [];
}

/** Where modules move meanwhile. */
function whileMoving(group: Group): readonly Topology[] {
  if (isFull) return [movingFromOne, movingFromThree];
  return isLong && group === withoutFaults ? [movingFromOneNowAndThen] : [];
}

/** What meets no fault is played by whatever engine; where many are in each other's way, by two of each, which are four processes and more. */
function onPostgres(group: Group): readonly Topology[] {
  const some = [oneOnPostgres, fourOnBoth, twoOfEach];
  if (isFull) return [...some, fourOnPostgres, fourThroughPooler, twoOfOne];
  if (group === withoutFaults) return isLong ? some : [oneOnPostgres];
  return isLong && group.name === "competition" ? [twoOfEach] : [];
}

function whyNotOnPostgres(topology: Topology): string | undefined {
  return missingPostgres() ?? (topology === fourThroughPooler ? missingPgbouncer() : undefined);
}

describe("parity: nobody can tell how the shop is split", function () {
  this.timeout(900_000);
  const expected = new Map<Group, Seen>();
  const results: Result[] = [];

  async function play(topology: Topology, group: Group): Promise<void> {
    const startedAt = performance.now();
    const result: Result = { topology: topology.name, group: group.name, outcome: "different", ms: 0 };
    results.push(result);
    try {
      const seen = await runGroup(topology, group);
      const wanted = expected.get(group);
      const compared = viewOf(topology);
      if (wanted !== undefined) assertSame(topology.name, seen[compared], wanted[compared]);
      else if (topology === oneProcess) expected.set(group, seen);
      else throw new Error("one process has to be seen first");
      result.outcome = "equal";
      result.entries = seen[compared].length;
      result.moves = seen.moves;
    } finally {
      result.ms = performance.now() - startedAt;
    }
  }

  /** Defines a test that is not run where there is a reason, which is told. */
  function itPlays(
    topology: Topology,
    group: Group,
    whyNot: () => Promise<string | undefined> | string | undefined,
  ): void {
    it(topology.name, async function () {
      const reason = await whyNot();
      if (reason === undefined) return play(topology, group);
      if (isCi) throw new Error(reason);
      results.push({ topology: topology.name, group: group.name, outcome: "not run", reason, ms: 0 });
      this.skip();
    });
  }

  for (const group of groups) {
    describe(group.name, () => {
      for (const topology of [oneProcess, fourProcesses]) it(topology.name, () => play(topology, group));
      for (const topology of onPostgres(group)) itPlays(topology, group, () => whyNotOnPostgres(topology));
      for (const topology of [...otherWays(group), ...whileMoving(group)])
        it(topology.name, () => play(topology, group));
      if (isFull || (isLong && group === withoutFaults)) itPlays(containers, group, whyNoContainers);
    });
  }

  after(() =>
    printTable(
      results,
      groups.map(({ name }) => name),
    ),
  );
});
