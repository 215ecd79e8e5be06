import { createHash } from "node:crypto";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { Refusal } from "../../base/refusal.ts";

const FILE = "manifest.json";

const manifest = z.object({
  format: z.literal(1),
  made_at: z.iso.datetime(),
  /** Of the program that made it. */
  version: z.string(),
  modules: z.record(
    z.string(),
    z.object({
      bytes: z.int(),
      sha256: z.string(),
      /** The store's version and the module's. */
      schema: z.string(),
      /** The newest row of the module's log. */
      log_head: z.object({ epoch: z.string(), seq: z.int() }).nullable(),
    }),
  ),
});

/** What a backup holds, kept in it. */
export type Manifest = z.output<typeof manifest>;

/** Has it on disk when it returns. @throws Error of the file system */
export function writeManifest(folder: string, content: Manifest): void {
  writeFileSync(`${folder}/${FILE}`, `${JSON.stringify(content, null, 2)}\n`, { flush: true, mode: 0o600 });
}

/** @throws Refusal when the folder holds no backup that this code can read */
export function readManifest(folder: string): Manifest {
  try {
    return manifest.parse(JSON.parse(readFileSync(`${folder}/${FILE}`, "utf8")));
  } catch (cause) {
    throw new Refusal(`${folder} holds no backup that can be read: ${FILE} is missing or damaged.`, { cause });
  }
}

/** In hexadecimal. @throws Error of the file system */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
