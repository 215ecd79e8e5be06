import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Settings } from "../support/topology.ts";
import type { Point } from "./step-point.ts";

const PRELOAD = new URL("step-point.ts", import.meta.url);

/** Tells processes at which step to do harm; see `step-point.ts`. */
export class StepFile {
  readonly #folder = mkdtempSync(join(tmpdir(), "quartet-step-"));
  readonly #file = join(this.#folder, "point.json");

  /** Of the processes that are to be told. */
  get settings(): Settings {
    return { NODE_OPTIONS: `--import ${PRELOAD.href}`, STEP_FILE: this.#file };
  }

  /** From now on that is to be done. */
  set(point: Point): void {
    rmSync(`${this.#file}.reached`, { force: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(point));
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** Whether that has begun. */
  get isReached(): boolean {
    return existsSync(`${this.#file}.reached`);
  }

  /** It is not to be done any more. */
  clear(): void {
    rmSync(this.#file, { force: true });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
