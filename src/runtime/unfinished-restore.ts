import { existsSync, rmSync, writeFileSync } from "node:fs";
import { Refusal } from "../base/refusal.ts";
import { syncToDisk } from "../store/sync-to-disk.ts";

const markIn = (dataDir: string) => `${dataDir}/restore-unfinished`;

/**
 * Runs what replaces the databases of a folder. Should it be cut short, by an error or the end of the process, they may be of
 * two moments; the mark that it leaves keeps everybody from taking them for whole.
 * @param folder the backup that is restored, for whoever reads the mark
 * @throws whatever the work throws
 */
export function whileMarked<T>(dataDir: string, folder: string, work: () => T): T {
  writeFileSync(markIn(dataDir), `A restore from ${folder} did not finish. Run it again.\n`, { flush: true });
  syncToDisk(dataDir);
  const result = work();
  syncToDisk(dataDir);
  rmSync(markIn(dataDir));
  return result;
}

/** @throws Refusal when a restore into this folder has been cut short */
export function requireFinishedRestore(dataDir: string): void {
  if (!existsSync(markIn(dataDir))) return;
  throw new Refusal(`A restore into ${dataDir} did not finish: its databases may be of two moments. Run it again.`);
}
