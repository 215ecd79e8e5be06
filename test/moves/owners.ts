import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { HOME, newer, type Placement, UNWRITTEN } from "../../src/runtime/move/placement.ts";
import { readPlacement } from "../../src/runtime/move/placement-file.ts";
import { MODULES, type ModuleName } from "../support/databases.ts";

const LOOK_EVERY_MS = 5;

/** Where the system says who has locked which part of which file; Linux alone has it. */
const LOCKS = "/proc/locks";

/**
 * Looks from outside, as often as it can, who has a module's database open, and whom the record beside it names. Who has one open has locked a
 * part of its file, which the system tells, and nobody who serves has a say in that.
 */
export class Owners {
  readonly #dataDir: string;
  readonly #pids: () => readonly number[];
  readonly #named = new Map<ModuleName, Placement>();
  readonly #timer: NodeJS.Timeout;
  /** What must not be, in words. */
  readonly wrong: string[] = [];
  looks = 0;

  /** @param pids of all processes that could serve */
  constructor(dataDir: string, pids: () => readonly number[]) {
    this.#dataDir = dataDir;
    this.#pids = pids;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** The processes that have a module's database open now. */
  of(name: ModuleName): number[] {
    const file = statSync(join(this.#dataDir, `${name}.db`), { throwIfNoEntry: false })?.ino;
    const pids = readFileSync(LOCKS, "utf8")
      .split("\n")
      .flatMap((line) => {
        const [, pid, inode] = / (\d+) [\da-f]+:[\da-f]+:(\d+) /.exec(line) ?? [];
        return Number(inode) === file ? [Number(pid)] : [];
      });
    return this.#pids().filter((pid) => pids.includes(pid));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.looks += 1;
    for (const name of MODULES) {
      // The table is not read at once: who is in it a second time has not just left it.
      if (this.of(name).length > 1 && this.of(name).length > 1) this.#note(`two have ${name} open: ${this.of(name)}`);
      this.#lookAtRecord(name);
    }
  }

  #lookAtRecord(name: ModuleName): void {
    const before = this.#named.get(name) ?? UNWRITTEN;
    const now = readPlacement(this.#dataDir, name);
    this.#named.set(name, now);
    const isSame = now.generation === before.generation && now.owner === before.owner;
    if (!isSame && newer(now, before) === before)
      this.#note(`the record of ${name} went from ${tell(before)} to ${tell(now)}`);
  }

  #note(what: string): void {
    if (!this.wrong.includes(what)) this.wrong.push(what);
  }
}

function tell({ generation, owner }: Placement): string {
  return `generation ${generation}, ${owner === HOME ? "home" : `at ${owner}`}`;
}
