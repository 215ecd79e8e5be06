import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** A copy of the repository to do anything with. */
export interface Scratch {
  readonly dir: string;
  /** What git says there. */
  git(...args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/** Clones the repository as it stands, changes that are not committed included, with the packages that are installed. */
export async function cloneRepository(): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), "quartet-docs-")); // of its own, also for what a page makes beside the clone
  const dir = join(folder, "quartet");
  await mkdir(dir);
  const git = async (...args: readonly string[]) => (await run("git", args, { cwd: dir })).stdout;
  const listed = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  const deleted = await run("git", ["ls-files", "-z", "--deleted"], { cwd: root });
  const gone = new Set(deleted.stdout.split("\0"));
  for (const file of listed.stdout.split("\0")) {
    if (file !== "" && !gone.has(file)) await cp(join(root, file), join(dir, file));
  }
  await run("chmod", ["-R", "go=", dir]); // as in a checkout of someone whose umask is 077
  await symlink(join(root, "node_modules"), join(dir, "node_modules"));
  await git("init", "--quiet");
  await writeFile(join(dir, ".git/info/exclude"), "node_modules\n"); // .gitignore names the folder, this is a link
  await git("config", "user.name", "reader");
  await git("config", "user.email", "reader@example.org");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "The repository as it stands");
  return { dir, git, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 10 }) };
}
