import { globSync } from "node:fs";

/** `npm test` runs a short leg of everything; `npm run test:all` the whole: every topology, page, seed and kill. */
export const isWholeRun = process.env.TESTS === "all";

/**
 * What this run leaves out, a line each. Files that are called `*.long.spec.ts` are left out as a whole: they are among these.
 */
export const leftOut = new Set<string>(isWholeRun ? [] : longFiles());

function longFiles(): string[] {
  const root = new URL("../../", import.meta.url);
  return globSync("test/**/*.long.spec.ts", { cwd: root }).sort();
}

/**
 * Defines tests that take long. A short run leaves them out, and its report says so.
 * @param what the tests, in the words of the report
 */
export function inWholeRun(what: string, define: () => void): void {
  if (isWholeRun) define();
  else leftOut.add(what);
}

/** How much of something to do: all of it in a whole run; in a short one less, and the report says so. */
export function extent<T>(what: string, whole: T, short: T): T {
  if (isWholeRun) return whole;
  leftOut.add(what);
  return short;
}
