import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "../../bus/simulation/random.ts";
import { Platter } from "./platter.ts";
import { shim } from "./shim.ts";

/** One sync that a process has begun. */
export interface Sync {
  readonly call: "fsync" | "fdatasync";
  readonly thread: "main" | "thread";
  /** Empty for the folder itself. */
  readonly file: string;
  readonly outcome: string;
}

/** A disk to test with, for processes that are started in its folder with `env`. shim.c has its rules. */
export interface Disk {
  readonly env: Readonly<Record<string, string>>;
  /** How it behaves from now on. */
  behave(...rules: readonly string[]): void;
  /** All syncs so far. */
  syncs(): Sync[];
  /** Takes all that is in the folder for safe, as no process writes there. @param folder in which processes are started */
  begin(folder: string): void;
  /** See `Platter.cut`. */
  cutPower(random?: Random, isCut?: (name: string) => boolean): void;
  dispose(): void;
}

/**
 * @param keeps whether it can lose its power, for which it keeps what is synced in place of syncing it; else it only behaves
 * @throws Error when there can be none here: see `shim`
 */
export function createDisk(keeps: boolean): Disk {
  const found = shim();
  if ("reason" in found) throw new Error(`no disk to test with: ${found.reason}`);
  const state = mkdtempSync(join(tmpdir(), "quartet-platter-"));
  let platter: Platter | undefined;
  const disk: Disk = {
    env: { LD_PRELOAD: found.library, DISK_SHIM: state },
    behave(...rules) {
      writeFileSync(join(state, "control.new"), [...(keeps ? ["keep"] : []), ...rules, ""].join("\n"));
      renameSync(join(state, "control.new"), join(state, "control"));
    },
    syncs() {
      const lines = readFileSync(join(state, "syncs"), { encoding: "utf8", flag: "a+" }).split("\n").slice(0, -1);
      return lines.map((line) => {
        const [, call, thread, file, outcome] = /^(\S+) (\S+) (\S*) (.*)$/.exec(line) ?? [];
        return { call, thread, file, outcome } as Sync;
      });
    },
    begin(folder) {
      platter = new Platter(folder, state);
      platter.begin();
    },
    cutPower(random, isCut) {
      if (platter === undefined) throw new Error("nobody has said where it begins");
      platter.cut(random, isCut);
    },
    dispose: () => rmSync(state, { recursive: true, force: true }),
  };
  disk.behave();
  return disk;
}
