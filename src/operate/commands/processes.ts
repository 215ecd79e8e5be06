import { controlFolder } from "../../control/place.ts";
import { type FoundProcess, findProcesses, type ProcessTopology } from "../../control/topology.ts";

const BUSES = { memory: "in its memory", redis: "by Redis" } as const;

/**
 * Describes who serves what now, of those whose data, or whose control socket at least, are in this folder.
 * @returns lines for a person to read
 * @throws Error of the system when this may not be read
 */
export async function describeProcesses(dataDir: string): Promise<string> {
  const found = (await findProcesses(dataDir)).sort((one, other) => pidOf(one) - pidOf(other));
  const folder = controlFolder(dataDir);
  if (found.length === 0) return `Nobody serves from ${dataDir} now: nobody listens in ${folder}.`;
  return [`Who serves what now, by the sockets in ${folder}`, ...found.flatMap(linesOf)].join("\n");
}

function pidOf({ topology }: FoundProcess): number {
  return topology?.pid ?? Number.POSITIVE_INFINITY;
}

function linesOf({ socket, topology }: FoundProcess): string[] {
  if (topology === undefined) return [`  ${socket} is listened on, and does not answer`];
  return factsOf(topology).map(
    ([what, where], at) => `  ${(at === 0 ? `pid ${topology.pid}` : "").padEnd(13)}${what.padEnd(10)}${where}`,
  );
}

function factsOf({ services, elsewhere, bus, supervises }: ProcessTopology): [what: string, where: string][] {
  return [
    ...Object.entries(services).map(([name, url]): [string, string] => [name, url ?? "called directly"]),
    ...Object.entries(elsewhere).map(([name, urls]): [string, string] => [name, `elsewhere, at ${urls.join(", ")}`]),
    ...(bus === null ? [] : [["events", BUSES[bus]] as [string, string]]),
    ...(supervises === undefined
      ? []
      : [["keeps", `${supervises.join(", ") || "nothing else"} running`] as [string, string]]),
  ];
}
