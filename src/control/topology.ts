import { z } from "zod";
import { isProblem } from "../base/problem.ts";
import { askProcess } from "./client.ts";
import { socketsIn } from "./sockets.ts";

/** The name of the operation that every process has: what it does, as of now. */
export const TOPOLOGY = "topology";

/** How long a process that lives may take for it. */
const ANSWER_WITHIN_MS = 2_000;

/** What a process says of itself. */
export const processTopology = z.object({
  pid: z.int(),
  /** Service → where it listens; null where it is called directly only. */
  services: z.record(z.string(), z.string().nullable()),
  /** The modules that it calls elsewhere → where they are. */
  elsewhere: z.record(z.string(), z.array(z.string())),
  /** How its events travel; null where it has none. */
  bus: z.enum(["memory", "redis"]).nullable(),
  /** The processes that it keeps running, by the names that it prints. */
  supervises: z.array(z.string()).optional(),
});

export type ProcessTopology = z.infer<typeof processTopology>;

/** A process that was found by its control socket. */
export interface FoundProcess {
  readonly socket: string;
  /** Undefined where it does not say, though it listens. */
  readonly topology: ProcessTopology | undefined;
}

/** The processes that live and have their sockets below this folder. @throws Error of the system when it may not be read */
export async function findProcesses(dataDir: string): Promise<FoundProcess[]> {
  const found = await Promise.all((await socketsIn(dataDir)).map(findProcess));
  return found.filter((each) => each !== undefined);
}

async function findProcess(socket: string): Promise<FoundProcess | undefined> {
  try {
    const told = await askProcess(socket, { operation: TOPOLOGY, withinMs: ANSWER_WITHIN_MS });
    return { socket, topology: processTopology.safeParse(told).data };
  } catch (error) {
    return isProblem(error, "dependency-unavailable") ? undefined : { socket, topology: undefined };
  }
}
