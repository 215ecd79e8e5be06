import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { positive, ROUNDS, topologyNames } from "./flags.ts";
import { interleave } from "./interleave.ts";
import { median } from "./quantile.ts";
import { table } from "./table.ts";
import { type TopologyName, topologies } from "./topologies.ts";

/**
 * How soon a topology is ready, from the start of its processes on new databases, and how much memory it has when nobody has asked
 * it for anything; what processes share is counted for each.
 *
 *     node bench/idle.ts --topologies one,four
 */

const { values: flags } = parseArgs({ options: { ...ROUNDS, topologies: { type: "string", default: "one,four" } } });
const names = topologyNames(flags.topologies);
const idleMs = positive("seconds", flags.seconds) * 1_000;

const measured = await interleave(names, positive("rounds", flags.rounds), measure);
const rows = measured.map((rounds, at) => [
  names[at] ?? "",
  median(rounds.map(({ readyAfterMs }) => readyAfterMs)).toFixed(0),
  (median(rounds.map(({ memoryBytes }) => memoryBytes)) / 1_000_000).toFixed(0),
]);
console.log(`${table([["", "ready after ms", "memory MB"], ...rows])}\n`);

async function measure(name: TopologyName): Promise<{ readonly readyAfterMs: number; readonly memoryBytes: number }> {
  const topology = await topologies[name]();
  try {
    await sleep(idleMs);
    const memoryBytes = topology.processes.reduce((sum, process) => sum + process.memoryBytes(), 0);
    return { readyAfterMs: topology.readyAfterMs, memoryBytes };
  } finally {
    await topology.stop();
  }
}
