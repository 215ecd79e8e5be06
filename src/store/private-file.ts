import { chmodSync, closeSync, existsSync, openSync, statSync } from "node:fs";

/** What others than its owner may do with a file. */
const OTHERS = 0o077;

/**
 * Sees to it that only its owner can read a database, whatever the umask was and however it was made: SQLite makes what stands
 * beside it with the same mode. What belongs to somebody else is left as it is.
 */
export function keepPrivate(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
  for (const each of [file, `${file}-wal`, `${file}-shm`]) {
    const found = statSync(each, { throwIfNoEntry: false });
    if (found !== undefined && (found.mode & OTHERS) !== 0 && mayChange(found.uid)) chmodSync(each, 0o600);
  }
}

function mayChange(owner: number): boolean {
  const own = process.getuid?.();
  return own === 0 || own === owner;
}
