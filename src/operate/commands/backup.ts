import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { Refusal } from "../../base/refusal.ts";
import type { Config } from "../../runtime/config.ts";
import { databaseIn, migrationsOf, modulesAmong } from "../../runtime/database-files.ts";
import type { ModuleName } from "../../runtime/modules.ts";
import { requireFinishedRestore } from "../../runtime/unfinished-restore.ts";
import { openSnapshots } from "../../store/engines/sqlite/snapshot.ts";
import { verifyDatabase } from "../../store/engines/sqlite/verify-database.ts";
import { makeFolder } from "../../store/make-folder.ts";
import { syncToDisk } from "../../store/sync-to-disk.ts";
import { type Manifest, sha256Of, writeManifest } from "./backup-manifest.ts";
import { requireFiles } from "./in-postgres.ts";

/**
 * Backs up the databases of the modules that SERVE names, whether or not their processes run, as all were at one moment.
 * Each copy is verified, and the folder gets its name only when all of it is on disk: a backup is whole or not there.
 * @param folder to be made; must not exist
 * @returns what it holds, for the operator to read
 * @throws Refusal when a database is not there, cannot be read or copied, or its copy is not sound;
 *   Error of the file system
 */
export async function backUp(config: Config, folder: string): Promise<string> {
  const { DATA_DIR, SERVE } = config;
  const target = resolve(folder);
  requireAbsent(target);
  const names = modulesAmong(SERVE);
  requireFiles(
    config,
    names,
    "`pg_dump --format=custom --file=FILE URL` backs up a database, and all schemas in it as of one moment.",
  );
  const missing = names.filter((name) => !existsSync(databaseIn(DATA_DIR, name)));
  if (names.length === 0 || missing.length > 0) {
    throw new Refusal(
      `${DATA_DIR} has no database of ${missing.join(", ") || "any module"}; see --serve and --data-dir.`,
    );
  }
  requireFinishedRestore(DATA_DIR);
  makeFolder(dirname(target));
  const partial = mkdtempSync(`${target}.partial-`); // for the owner alone
  try {
    await copyAll(names, DATA_DIR, partial);
    const manifest = await verifyAll(names, partial);
    writeManifest(partial, manifest);
    syncToDisk(partial);
    requireAbsent(target); // another backup may have been quicker
    renameSync(partial, target);
    syncToDisk(dirname(target));
    return describe(target, manifest);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

function requireAbsent(folder: string): void {
  if (existsSync(folder)) throw new Refusal(`${folder} exists already; name a new folder.`);
}

async function copyAll(names: readonly ModuleName[], from: string, to: string): Promise<void> {
  const snapshots = await openSnapshots(names.map((name) => ({ name, file: databaseIn(from, name) })));
  try {
    for (const snapshot of snapshots) await snapshot.copyTo(databaseIn(to, snapshot.name as ModuleName));
  } finally {
    for (const snapshot of snapshots) snapshot.close();
  }
}

async function verifyAll(names: readonly ModuleName[], folder: string): Promise<Manifest> {
  const modules: Manifest["modules"] = {};
  for (const name of names) {
    const file = databaseIn(folder, name);
    const { schema, logHead } = verifyDatabase({ name, file }, migrationsOf(name));
    modules[name] = { bytes: statSync(file).size, sha256: await sha256Of(file), schema, log_head: logHead };
    syncToDisk(file);
  }
  return { format: 1, made_at: new Date().toISOString(), version: packageJson.version, modules };
}

function describe(folder: string, { modules }: Manifest): string {
  const lines = Object.entries(modules).map(([name, { bytes, schema, log_head }]) => {
    const events = log_head === null ? "no events" : `events up to ${log_head.seq}`;
    return `  ${`${name}.db`.padEnd(14)}${bytes} bytes, schema ${schema}, ${events}`;
  });
  return [`Backed up and verified in ${folder}`, ...lines].join("\n");
}
