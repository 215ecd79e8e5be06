import { ThreadPool } from "../../../../base/thread-pool.ts";
import { isFailedSync } from "../sqlite-fault.ts";
import type { Checkpoint, CheckpointMode } from "./checkpoint-worker.ts";

/** Pages of the write-ahead log from which on it is moved into the database; it stays below twice as many. */
export const CHECKPOINT_PAGES = 1_000;

/** Where one could not be completed, since somebody elsewhere reads an old state, it is tried again this much later. */
const AGAIN_AFTER_PAGES = CHECKPOINT_PAGES / 4;

/** While a checkpoint is made the log grows by at most this much. */
const GROWTH_PAGES = CHECKPOINT_PAGES / 2;

/** One for all databases of this process. */
const thread = new ThreadPool({
  worker: new URL("./checkpoint-worker.ts", import.meta.url),
  minThreads: 0,
  maxThreads: 1,
});

const NOTHING_MOVED: Checkpoint = { isComplete: false, pages: 0 };

/** Units of work between two looks at the log, each some dozen pages at the most. */
const LOOK_EVERY_UNITS = 32;

export interface CheckpointsOptions {
  /** The database's file; undefined for one in memory, which has no log. */
  readonly file: string | undefined;
  /** How many pages are in the log now. */
  readonly pages: () => number;
  /** Runs work while nothing is committed. */
  readonly betweenGroups: <T>(work: () => Promise<T>) => Promise<T>;
  /** A checkpoint's sync has failed: whether what it moved is on disk nobody knows. */
  readonly onFailedSync: (reason: string) => void;
}

/**
 * Moves the write-ahead log into the database, in a worker thread. Most of it while commits go on; what these have added is moved
 * once more while none is made, so that the log can begin anew.
 */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  #units = 0;
  #dueAtPages = CHECKPOINT_PAGES;
  #firstPass: Promise<Checkpoint> | undefined;
  #isUnderWay = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** Belongs after each group of commits. */
  committed(units: number): void {
    this.#units += units;
    if (this.#options.file === undefined || this.#units < LOOK_EVERY_UNITS) return;
    this.#units = 0;
    const pages = this.#options.pages();
    const firstPass = this.#firstPass;
    if (firstPass !== undefined && pages >= this.#dueAtPages + GROWTH_PAGES) {
      void this.#options.betweenGroups(() => firstPass).catch(() => undefined); // of a store that has lost its trust
    }
    if (this.#isUnderWay || pages < this.#dueAtPages) return;
    this.#isUnderWay = true;
    void this.#moveAll().finally(() => {
      this.#isUnderWay = false;
    });
  }

  /** Moves all that is there, and empties the log. Resolves whether it is empty: a reader elsewhere may prevent it. */
  async empty(): Promise<boolean> {
    if (this.#options.file === undefined) return true;
    return (await this.#moveBetweenGroups("TRUNCATE")).isComplete;
  }

  async #moveAll(): Promise<void> {
    this.#firstPass = this.#move("PASSIVE");
    await this.#firstPass;
    this.#firstPass = undefined;
    const { isComplete, pages } = await this.#moveBetweenGroups("PASSIVE");
    this.#dueAtPages = isComplete ? CHECKPOINT_PAGES : Math.max(CHECKPOINT_PAGES, pages + AGAIN_AFTER_PAGES);
  }

  #moveBetweenGroups(mode: CheckpointMode): Promise<Checkpoint> {
    return this.#options.betweenGroups(() => this.#move(mode)).catch(() => NOTHING_MOVED);
  }

  /** One that fails, for a full disk say, is tried again later: all is in the log still. */
  async #move(mode: CheckpointMode): Promise<Checkpoint> {
    try {
      const made = await thread.run<Checkpoint>({ file: this.#options.file, mode });
      if (made.fault !== undefined && isFailedSync(made.fault)) this.#options.onFailedSync(made.fault.reason);
      return made;
    } catch {
      return NOTHING_MOVED; // a thread that could not start, or ended
    }
  }
}
