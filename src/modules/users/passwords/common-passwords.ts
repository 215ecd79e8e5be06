import { readFile } from "node:fs/promises";

let common: Promise<ReadonlySet<string>> | undefined;

/**
 * The fifty thousand most common passwords, in lower case; read when the first password is chosen. The list is that of zxcvbn-ts, one a line
 * (`npm run generate`): its package would take ten times the memory.
 */
export function loadCommonPasswords(): Promise<ReadonlySet<string>> {
  common ??= readList();
  return common;
}

/** A list that could not be read, for want of a file descriptor say, is read again. */
async function readList(): Promise<ReadonlySet<string>> {
  try {
    const text = await readFile(new URL("common-passwords.txt", import.meta.url), "utf8");
    return new Set(text.trimEnd().split("\n"));
  } catch (error) {
    common = undefined;
    throw error;
  }
}
