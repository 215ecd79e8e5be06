import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";

/** What the system takes for a socket's path at the most, in bytes, with the zero at its end: 104 with macOS, 108 with Linux. */
const LONGEST_PATH = 103;

/** What a socket's name ends with, once somebody listens. */
export const SOCKET = ".sock";

/** The folder of the sockets by which the processes that serve from a folder are controlled. */
export function controlFolder(dataDir: string): string {
  return join(dataDir, ".control");
}

/**
 * Runs what binds or connects a socket, at once, with a path of it that is short enough: of a deep folder Linux has a short name while it is
 * open.
 * @throws Error where there is none; whatever `use` throws
 */
export function withShortPath<T>(folder: string, name: string, use: (path: string) => T): T {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= LONGEST_PATH) return use(path);
  if (process.platform !== "linux") throw new Error(`${path} is too long for the path of a socket`);
  const opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return use(`/proc/self/fd/${opened}/${name}`);
  } finally {
    closeSync(opened);
  }
}
