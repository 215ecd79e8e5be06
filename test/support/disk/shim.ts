import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("./shim.c", import.meta.url));

let built: { readonly library: string } | { readonly reason: string } | undefined;

/** The library that makes a process's disk one to test with (see shim.c), compiled at the first call; or why there can be none. */
export function shim(): { readonly library: string } | { readonly reason: string } {
  built ??= build();
  return built;
}

function build(): { readonly library: string } | { readonly reason: string } {
  if (process.platform !== "linux") return { reason: "LD_PRELOAD and /proc are Linux's" };
  const folder = mkdtempSync(join(tmpdir(), "quartet-shim-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, "shim.so");
  try {
    execFileSync("cc", ["-O2", "-shared", "-fPIC", "-pthread", "-o", library, SOURCE], { stdio: "pipe" });
    return { library };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { reason: "no cc: install gcc and libc6-dev" };
    throw new Error(`${SOURCE} cannot be compiled: ${message}`);
  }
}

/** For a hook before tests: skips them, and says why, where there can be no shim. */
export function skipWithoutShim(hook: Mocha.Context): void {
  const found = shim();
  if (!("reason" in found)) return;
  if (hook.currentTest !== undefined) hook.currentTest.title += ` (skipped: ${found.reason})`;
  hook.skip();
}
