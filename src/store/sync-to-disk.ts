import { closeSync, fsyncSync, openSync } from "node:fs";

/** Has a file, or the names in a folder, on disk when it returns. @throws Error of the file system */
export function syncToDisk(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
