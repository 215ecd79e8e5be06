import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRandom, type Random } from "../../bus/simulation/random.ts";
import { createDisk } from "../../support/disk/disk.ts";
import type { Platter } from "../../support/disk/platter.ts";
import { until } from "../../support/process.ts";
import { expectWhole } from "./expect-whole.ts";

const PROGRAM = fileURLToPath(new URL("./simulation-process.ts", import.meta.url));
const STEPS = 40;

/** What the store is to do next. `sync` and `tell` are of the group that is committed and not on disk. */
export interface Step {
  readonly what: "write" | "read" | "sync" | "tell" | "empty" | "reopen";
  readonly ids?: readonly string[];
  readonly bytes?: number;
}

export interface Done {
  /** Notes that somebody was told of since: who wrote them, who read them, the log. */
  readonly known: readonly string[];
  /** Whether a group is committed, and nobody told. */
  readonly isCommitted: boolean;
}

/**
 * A real store on a disk, of which each step is chosen by a seed: units of work, their sync, what is told then, reads, checkpoints, closing
 * and opening. After each, and in the midst of syncs of SQLite's own, the power is cut from a copy of the disk, twice: with all that was not
 * synced gone, and with blocks of it there by chance.
 * @param syncs whether groups are synced before they are told of
 * @throws AssertionError when a note is lost that somebody was told of, or the database is damaged
 */
export async function simulate(seed: number, syncs = true): Promise<void> {
  const random = createRandom(Math.imul(seed, 0x9e3779b1));
  const folder = mkdtempSync(join(tmpdir(), "quartet-simulation-"));
  const disk = createDisk(true);
  const platter = disk.platter(folder);
  const child = fork(PROGRAM, { cwd: folder, env: { PATH: process.env.PATH, ...disk.env }, execArgv: [] });
  const known = new Set<string>();
  try {
    let { isCommitted } = await answer(child);
    let isSynced = false;
    for (let n = 0; n < STEPS; n++) {
      const step = choose(random, n, isCommitted, isSynced || !syncs);
      const isHeld = step.what === "empty" || step.what === "reopen";
      if (isHeld) disk.behave(`hold ${random.integer(1, 2)} ${random.pick(["-wal", ".db"])}`);
      const answered = answer(child);
      child.send(step);
      if (isHeld) {
        let isDone = false;
        void answered.then(() => {
          isDone = true;
        });
        await until("it waits, or is done", () => isDone || disk.syncs().some(({ outcome }) => outcome === "held"));
        await cut(platter, known, random, `seed ${seed}, in step ${n}, ${step.what}`);
        disk.behave();
      }
      const done = await answered;
      isSynced = step.what === "sync" || (isSynced && step.what !== "tell");
      isCommitted = done.isCommitted;
      for (const id of done.known) known.add(id);
      await cut(platter, known, random, `seed ${seed}, after step ${n}, ${step.what}`);
    }
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    disk.dispose();
    rmSync(folder, { recursive: true });
  }
}

function choose({ pick, integer }: Random, n: number, isCommitted: boolean, mayTell: boolean): Step {
  const onTheWay = mayTell ? (["tell", "read"] as const) : (["sync", "read"] as const);
  const what = pick(
    isCommitted ? ([...onTheWay, "write"] as const) : (["write", "write", "read", "empty", "reopen"] as const),
  );
  if (what !== "write") return { what };
  return { what, bytes: integer(0, 20_000), ids: Array.from({ length: integer(1, 4) }, (_, i) => `${n}-${i}`) };
}

/** @throws Error when it ends without one */
async function answer(child: ChildProcess): Promise<Done> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, "exit", { signal }).then(([code, killed]) => {
    throw new Error(`the store has ended: ${code ?? killed}`);
  });
  try {
    const [done] = (await Promise.race([once(child, "message", { signal }), ended])) as [Done];
    return done;
  } finally {
    ended.catch(() => {});
    settled.abort();
  }
}

async function cut(platter: Platter, known: ReadonlySet<string>, random: Random, when: string): Promise<void> {
  for (const chance of [undefined, random]) {
    const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "quartet-cut-"));
    try {
      platter.copyAsCut(folder, chance);
      await expectWhole(folder, known, when);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
