import { readFile } from "node:fs/promises";
import { SortedLines } from "./sorted-lines.ts";

let common: Promise<SortedLines> | undefined;

/**
 * The fifty thousand most common passwords, in lower case; read when the first password is chosen. The list is that of zxcvbn-ts, one a line
 * (`npm run generate`): its package would take ten times the memory.
 */
export function loadCommonPasswords(): Promise<SortedLines> {
  common ??= readList();
  return common;
}

/** A list that could not be read, for want of a file descriptor say, is read again. */
async function readList(): Promise<SortedLines> {
  try {
    return new SortedLines(await readFile(new URL("common-passwords.txt", import.meta.url)));
  } catch (error) {
    common = undefined;
    throw error;
  }
}
