import { chownSync, constants, copyFileSync, existsSync, lstatSync, mkdirSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { Refusal } from "../../base/refusal.ts";
import type { Config } from "../../runtime/config.ts";
import { databaseIn, migrationsOf, modulesAmong } from "../../runtime/database-files.ts";
import type { ModuleName } from "../../runtime/modules.ts";
import { whileMarked } from "../../runtime/unfinished-restore.ts";
import { lockDatabase, replaceDatabase } from "../../store/engines/sqlite/replace-database.ts";
import { verifyDatabase } from "../../store/engines/sqlite/verify-database.ts";
import { makeFolder } from "../../store/make-folder.ts";
import { keepPrivate } from "../../store/private-file.ts";
import { syncToDisk } from "../../store/sync-to-disk.ts";
import { type Manifest, readManifest, sha256Of } from "./backup-manifest.ts";
import { requireFiles } from "./in-postgres.ts";

/**
 * Puts the databases of the modules that SERVE names back from a backup, while their processes are stopped. All is checked
 * before anything changes; what was there is kept in a folder beside it. The next opening of each database begins a new
 * epoch of its log, as every opening does: by that its subscribers tell what is new from what they have applied before.
 * @param folder that `backUp` has made
 * @returns what was done, for the operator to read
 * @throws Refusal when the backup is damaged, of a newer schema, or lacks a module, or a database is
 *   in use; nothing has changed then. Error of the file system, after which it may have to be run again
 */
export async function restore(config: Config, folder: string): Promise<string> {
  const { DATA_DIR, SERVE } = config;
  const names = modulesAmong(SERVE);
  if (names.length === 0) throw new Refusal("No module is served here; see --serve.");
  requireFiles(config, names, "`pg_restore --clean --if-exists --dbname=URL FILE` puts back what pg_dump has written.");
  const manifest = readManifest(folder);
  for (const name of names) await verify(name, manifest, folder);
  makeFolder(DATA_DIR);
  for (const name of names) requireNoLink(databaseIn(DATA_DIR, name));
  const kept = whileLocked(names, DATA_DIR, () => replaceAll(names, folder, DATA_DIR));
  return [
    `Restored ${names.join(", ")} from ${resolve(folder)}, made at ${manifest.made_at}.`,
    kept === undefined ? "There was nothing before." : `What was there before is kept in ${resolve(kept)}.`,
    `Start the processes again; then see with \`npm run reconcile -- ${inShell(resolve(DATA_DIR))}\` whether all adds up.`,
  ].join("\n");
}

async function verify(name: ModuleName, { modules }: Manifest, folder: string): Promise<void> {
  const told = modules[name];
  if (told === undefined) {
    const held = Object.keys(modules).join(",");
    throw new Refusal(`${folder} holds no ${name}; to restore what it holds, add --serve ${held}.`);
  }
  const file = databaseIn(folder, name);
  if (!existsSync(file) || (await sha256Of(file)) !== told.sha256) {
    throw new Refusal(`${file} is not what was backed up: it is missing or has changed since.`);
  }
  verifyDatabase({ name, file }, migrationsOf(name));
}

/** The file that a link leads to may be on another disk, and would not be what is kept. */
function requireNoLink(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new Refusal(`${file} is a link: restore into the folder that it leads to, with --data-dir.`);
}

function whileLocked<T>(names: readonly ModuleName[], folder: string, work: () => T): T {
  const unlock: (() => void)[] = [];
  try {
    for (const name of names) unlock.push(lockDatabase({ name, file: databaseIn(folder, name) }));
    return work();
  } finally {
    for (const free of unlock) free();
  }
}

/** Answers where what was there is kept, undefined when nothing was. */
function replaceAll(names: readonly ModuleName[], from: string, to: string): string | undefined {
  const incoming = (name: ModuleName) => `${databaseIn(to, name)}.incoming`;
  try {
    for (const name of names) {
      copyFileSync(databaseIn(from, name), incoming(name), constants.COPYFILE_FICLONE);
      keepPrivate(incoming(name)); // a copy has the mode of what it is of
      giveToOwner(incoming(name), [databaseIn(to, name), to]);
      syncToDisk(incoming(name));
    }
    const kept = makeKeepingFolder(to, names);
    whileMarked(to, from, () => {
      for (const name of names) {
        if (existsSync(databaseIn(to, name))) keepPrivate(databaseIn(to, name)); // what is kept of it has its mode
        replaceDatabase(databaseIn(to, name), incoming(name), databaseIn(kept ?? to, name));
      }
    });
    return kept;
  } finally {
    for (const name of names) rmSync(incoming(name), { force: true });
  }
}

function makeKeepingFolder(dataDir: string, names: readonly ModuleName[]): string | undefined {
  if (!names.some((name) => existsSync(databaseIn(dataDir, name)))) return undefined;
  const kept = `${dataDir}/before-restore-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  mkdirSync(kept, { mode: 0o700 });
  giveToOwner(kept, [dataDir]);
  return kept;
}

/** Root may restore for another user, who is to serve it: the owner of the first of these that is there. */
function giveToOwner(file: string, like: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const owner = like.flatMap((path) => statSync(path, { throwIfNoEntry: false }) ?? [])[0];
  if (owner !== undefined) chownSync(file, owner.uid, owner.gid);
}

/** A path as a shell takes it for one word. */
function inShell(path: string): string {
  return /^[\w/.,:@%+=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
