import { containers, whyNoContainers } from "../support/containers.ts";
import { isWholeRun, leftOut } from "../support/extent.ts";
import {
  fourProcesses,
  fourProcessesNodeFetch,
  oneProcess,
  oneProcessWithRedis,
  otherSplits,
  type Topology,
} from "../support/topology.ts";
import { groups } from "./groups.ts";
import { runGroup } from "./run-group.ts";
import type { Group } from "./scenario.ts";
import { printTable, type Result } from "./table.ts";
import { assertSame, type Entry } from "./transcript.ts";

/** `npm run parity` plays everything everywhere. In `npm run test:all` the other splits play only what meets no fault. */
const isFull = process.env.PARITY === "full";
const isLong = isFull || isWholeRun;
const isCi = process.env.CI === "true";

const [withoutFaults] = groups;
const everywhere: readonly Topology[] = isLong
  ? [oneProcessWithRedis, fourProcesses, fourProcessesNodeFetch]
  : [fourProcesses];
if (!isLong) leftOut.add("parity on one process with Redis, four with node-fetch, all other splits, and containers");

describe("parity: nobody can tell how the shop is split", function () {
  this.timeout(900_000);
  const expected = new Map<Group, readonly Entry[]>();
  const results: Result[] = [];

  async function play(topology: Topology, group: Group): Promise<void> {
    const startedAt = performance.now();
    const result: Result = { topology: topology.name, group: group.name, outcome: "different", ms: 0 };
    results.push(result);
    try {
      const entries = await runGroup(topology, group);
      const wanted = expected.get(group);
      if (wanted !== undefined) assertSame(topology.name, entries, wanted);
      else if (topology === oneProcess) expected.set(group, entries);
      else throw new Error("one process has to be seen first");
      result.outcome = "equal";
      result.entries = entries.length;
    } finally {
      result.ms = performance.now() - startedAt;
    }
  }

  for (const group of groups) {
    describe(group.name, () => {
      for (const topology of [oneProcess, ...everywhere]) it(topology.name, () => play(topology, group));
      if (isFull || (isLong && group === withoutFaults)) {
        for (const topology of otherSplits) it(topology.name, () => play(topology, group));
      }
      if (!isLong) return;
      it(containers.name, async function () {
        const reason = await whyNoContainers();
        if (reason === undefined) return play(containers, group);
        if (isCi) throw new Error(reason);
        results.push({ topology: containers.name, group: group.name, outcome: "not run", reason, ms: 0 });
        this.skip();
      });
    });
  }

  after(() =>
    printTable(
      results,
      groups.map(({ name }) => name),
    ),
  );
});
