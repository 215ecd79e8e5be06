import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const RUNS = ["src", "package.json"];
const LINKED = ["node_modules", "dist"];

/** The code of a commit, to be run with the packages that are installed. */
export interface Version {
  /** Of the commit, abbreviated. */
  readonly name: string;
  readonly dir: string;
  remove(): Promise<void>;
}

/** Why a version is not to be had here. */
export interface Missing {
  readonly reason: string;
}

/** Takes what the program needs to run out of a commit. */
export async function takeVersion(commit: string): Promise<Version | Missing> {
  const name = await git("rev-parse", "--short", "--verify", "--quiet", `${commit}^{commit}`).catch(() => undefined);
  if (name === undefined) return { reason: `there is no ${commit} in this clone, which may be a shallow one` };
  const packages = await git("diff", "--name-only", commit, "--", "package-lock.json");
  if (packages !== "") return { reason: `${commit} has other packages than are installed` };
  const dir = await mkdtemp(join(tmpdir(), "quartet-version-"));
  const archive = join(dir, "archive.tar");
  await git("archive", `--output=${archive}`, commit, ...RUNS);
  await run("tar", ["-xf", archive, "-C", dir]);
  await rm(archive);
  for (const linked of LINKED) await symlink(join(root, linked), join(dir, linked));
  return { name, dir, remove: () => rm(dir, { recursive: true }) };
}

async function git(...args: readonly string[]): Promise<string> {
  return (await run("git", [...args], { cwd: root })).stdout.trim();
}
