import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** A disk to test with, for processes that are started with `env`: the files of the folder that each is started in are on it. */
export interface Disk {
  readonly env: Readonly<Record<string, string>>;
  /** How it behaves from now on, in rules of shim.c. */
  behave(...rules: readonly string[]): void;
  /** All syncs since it was told how to behave. */
  syncs(): Sync[];
  /** The disk of processes that are started in this folder. What is in it at first is safe only from `begin` on. */
  platter(folder: string): Platter;
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
  const disk: Disk = {
    env: { LD_PRELOAD: found.library, DISK_SHIM: state },
    behave(...rules) {
      rmSync(join(state, "syncs"), { force: true });
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
    platter: (folder) => new Platter(folder, state),
    dispose: () => rmSync(state, { recursive: true, force: true }),
  };
  disk.behave();
  return disk;
}
