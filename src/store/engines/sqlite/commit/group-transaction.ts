import type { Database } from "better-sqlite3";
import { isDatabaseFault } from "../sqlite-fault.ts";
import type { QueuedWrite } from "./queued-write.ts";

/** What is remembered beside the rows that a transaction writes. */
export interface TransactionEffects {
  /** Called before each unit; `undo` with its result forgets what the unit appended. */
  mark(): number;
  undo(mark: number): void;
}

/** One transaction for a group of units of work, with a savepoint for each. */
export class GroupTransaction {
  readonly #database: Database;
  readonly #effects: TransactionEffects;
  readonly #statements: Readonly<
    Record<"begin" | "probe" | "savepoint" | "release" | "undo" | "commit", { run(): unknown }>
  >;

  constructor(database: Database, effects: TransactionEffects) {
    this.#database = database;
    this.#effects = effects;
    this.#statements = {
      begin: database.prepare("BEGIN IMMEDIATE"),
      probe: database.prepare("UPDATE headroom SET pad = randomblob(length(pad))"),
      savepoint: database.prepare("SAVEPOINT unit"),
      release: database.prepare("RELEASE unit"),
      undo: database.prepare("ROLLBACK TO unit"),
      commit: database.prepare("COMMIT"),
    };
  }

  /**
   * Runs the units, and commits.
   * @param probe whether to change something of some size beside them
   * @throws what ended the whole group: nothing of it is committed
   */
  run(group: readonly QueuedWrite[], probe: boolean): void {
    try {
      this.#statements.begin.run();
      if (probe) this.#statements.probe.run();
      for (const write of group) this.#runOne(write);
      this.#statements.commit.run();
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** Runs one unit of work; its own failure is undone and kept for it. @throws what ends the whole group */
  #runOne(write: QueuedWrite): void {
    const mark = this.#effects.mark();
    this.#statements.savepoint.run();
    try {
      write.run();
      this.#statements.release.run();
    } catch (error) {
      if (!this.#database.inTransaction || isDatabaseFault(error)) throw error;
      this.#statements.undo.run();
      this.#statements.release.run();
      this.#effects.undo(mark);
      write.failed(error);
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
    } catch {
      // SQLite ended the transaction itself.
    }
  }
}
