import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { Refusal } from "../../base/refusal.ts";
import { besideDatabase } from "../../store/engines/sqlite/beside.ts";
import { syncToDisk } from "../../store/sync-to-disk.ts";
import { databaseIn } from "../database-files.ts";
import type { ModuleName } from "../modules.ts";
import { type Placement, UNWRITTEN } from "./placement.ts";

const written = z.object({ generation: z.int().min(1), owner: z.string(), url: z.string().nullable() });

const fileOf = (dataDir: string, name: ModuleName) => besideDatabase(databaseIn(dataDir, name), "placement");

/** Where a module is, as it is written beside its database. @throws Error when what is written cannot be read */
export function readPlacement(dataDir: string, name: ModuleName): Placement {
  const file = fileOf(dataDir, name);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return UNWRITTEN;
    throw error;
  }
  try {
    return written.parse(JSON.parse(text));
  } catch (cause) {
    throw new Refusal(`${file} does not say where ${name} is.`, { cause });
  }
}

/**
 * Writes where a module is, all of it or nothing, and has it on disk when it returns. To be called by who has the lock of its file.
 * @throws Error of the file system; what was written before is still there then
 */
export function writePlacement(dataDir: string, name: ModuleName, placement: Placement): void {
  const file = fileOf(dataDir, name);
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  const text = `${JSON.stringify(placement satisfies z.input<typeof written>)}\n`;
  writeFileSync(draft, text, { flag: "wx", mode: 0o600 });
  syncToDisk(draft);
  renameSync(draft, file);
  try {
    syncToDisk(dirname(file));
  } catch {
    // Everybody reads the new one already. After a power cut it may be the old one again, whose owner opens the same file.
  }
}
