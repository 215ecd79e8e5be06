import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { Refusal } from "../../base/refusal.ts";
import { besideDatabase } from "../../store/engines/sqlite/beside.ts";
import { syncToDisk } from "../../store/sync-to-disk.ts";
import { databaseIn } from "../database-files.ts";
import type { ModuleName } from "../modules.ts";
import { redisOfEvents, type Surroundings } from "./others.ts";
import { type Placement, UNWRITTEN } from "./placement.ts";

const placement = z.object({ generation: z.int().min(1), owner: z.string(), url: z.string().nullable() });

/** With the Redis by which events go since then, for those whose settings are from before a move. */
const written = placement.extend({ redis: redisOfEvents.default(null) });
type Written = z.output<typeof written>;

const fileOf = (dataDir: string, name: ModuleName) => besideDatabase(databaseIn(dataDir, name), "placement");

/** Where a module is, as it is written beside its database. @throws Error when what is written cannot be read */
export function readPlacement(dataDir: string, name: ModuleName): Placement {
  const found = read(dataDir, name);
  return found === undefined ? UNWRITTEN : placement.parse(found);
}

/** By which Redis events went when that was written. @throws Error as `readPlacement` */
export function readRedis(dataDir: string, name: ModuleName): Written["redis"] {
  return read(dataDir, name)?.redis ?? null;
}

function read(dataDir: string, name: ModuleName): Written | undefined {
  const file = fileOf(dataDir, name);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
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
 * @param redis by which events go, if they do
 * @throws Error of the file system; what was written before is still there then
 */
export function writePlacement(
  dataDir: string,
  name: ModuleName,
  placement: Placement,
  redis: Surroundings["redis"] | undefined,
): void {
  const file = fileOf(dataDir, name);
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  const text = `${JSON.stringify({ ...placement, redis: redis ?? null } satisfies z.input<typeof written>)}\n`;
  writeFileSync(draft, text, { flag: "wx", mode: 0o600 });
  syncToDisk(draft);
  renameSync(draft, file);
  try {
    syncToDisk(dirname(file));
  } catch {
    // Everybody reads the new one already. After a power cut it may be the old one again, whose owner opens the same file.
  }
}
