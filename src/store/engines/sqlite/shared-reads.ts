import type { Database } from "better-sqlite3";

/**
 * Lets the reads of one turn of the event loop share a read transaction: to begin one takes locks in the file system, which
 * cost several times what a look-up by key does. They see what was committed when the first of them ran. That is the
 * newest there is, since a commit of this process ends the transaction.
 */
export class SharedReads {
  readonly #database: Database;
  readonly #schedule: (run: () => void) => void;
  readonly #statements: Readonly<Record<"begin" | "end" | "undo", { run(): unknown }>>;
  #state: "idle" | "reading" | "paused" = "idle";

  /** @param schedule when a turn ends, given that it has read */
  constructor(database: Database, schedule: (run: () => void) => void) {
    this.#database = database;
    this.#schedule = schedule;
    this.#statements = {
      begin: database.prepare("BEGIN"),
      end: database.prepare("COMMIT"),
      undo: database.prepare("ROLLBACK"),
    };
  }

  /** Belongs before each read. */
  readonly begin = (): void => {
    if (this.#state !== "idle") return;
    this.#statements.begin.run();
    this.#state = "reading";
    this.#schedule(this.#end);
  };

  /** Runs work that has a transaction of its own, to which its reads belong. */
  pause<T>(work: () => T): T {
    this.#end();
    this.#state = "paused";
    try {
      return work();
    } finally {
      this.#state = "idle";
    }
  }

  readonly #end = (): void => {
    if (this.#state !== "reading") return;
    this.#state = "idle";
    try {
      // A read that failed may have ended it.
      if (this.#database.inTransaction) this.#statements.end.run();
    } catch {
      // After a failed read the end may fail as well, and whoever read was told already. The next begins anew.
      if (this.#database.inTransaction) this.#statements.undo.run();
    }
  };
}
