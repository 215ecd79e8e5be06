import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let building: Promise<unknown> | undefined;

/**
 * Builds the page as the source has it now, once in a run. In a process of its own: Vite would set NODE_ENV for all the tests.
 * Where Mocha has several workers it is built before they begin: one would take it from under the other's feet.
 */
export async function buildConsole(): Promise<void> {
  if (process.env.MOCHA_WORKER_ID !== undefined) return;
  building ??= promisify(execFile)("npm", ["run", "build:console"], { cwd: ROOT });
  await building;
}
