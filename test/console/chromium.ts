import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Browser, type BrowserContext, chromium } from "playwright-core";

const run = promisify(execFile);

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** A machine that is busy takes its time to start one. */
const START_WITHIN_MS = 120_000;

/** A browser that asks nobody for anything but what the page asks for. */
const QUIET = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** Starts a real Chromium: `CHROMIUM`, else the one on the path, else, as root on Debian, a newly installed one. */
export async function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await findChromium(), args: QUIET, timeout: START_WITHIN_MS });
}

/**
 * Starts one as a person has it: with a profile that keeps what it has fetched, and pages that wait to be gone back to. As
 * long as no request of it is routed, its cache is on.
 */
export async function openProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, {
    executablePath: await findChromium(),
    args: QUIET,
    timeout: START_WITHIN_MS,
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
}

async function findChromium(): Promise<string> {
  const found = process.env.CHROMIUM ?? (await onPath(NAMES));
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && (await onPath(["apt-get"])) !== undefined) {
    await run("apt-get", ["update"]).catch(() => undefined);
    await run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"]).catch(() => undefined);
    const installed = await onPath(NAMES);
    if (installed !== undefined) return installed;
  }
  throw new Error("These tests need a Chromium: install one, or set CHROMIUM to its path.");
}

async function onPath(names: readonly string[]): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      const there = await access(path).then(
        () => true,
        () => false,
      );
      if (there) return path;
    }
  }
  return undefined;
}
