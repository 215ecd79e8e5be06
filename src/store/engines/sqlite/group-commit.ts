import type { Database } from "better-sqlite3";
import { Distribution } from "../../../base/distribution.ts";
import { Problem } from "../../../base/problem.ts";
import { outsideSpans } from "../../../base/span.ts";
import { reasonOf } from "../../refusal.ts";
import type { StoreStats } from "../../store.ts";
import type { Unit, Work } from "../../unit.ts";
import type { SharedReads } from "./shared-reads.ts";
import { isDatabaseFault, problemOfFault } from "./sqlite-fault.ts";
import { SqliteUnit, type UnitEffects } from "./sqlite-unit.ts";
import { beginTransactionSpan, type StatementGroup } from "./statement-spans.ts";
import type { Statements } from "./statements.ts";

/** The most units of work in one transaction: bounds how long a group keeps the event loop. */
const MAX_GROUP = 256;

const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, MAX_GROUP];
const SECONDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What must pass after a fault before asking for it tries a write again. */
const PROBE_AFTER_MS = 1_000;

/** What units of work write beside the module's own rows; what it remembers follows the fate of the transaction. */
export interface GroupEffects extends UnitEffects {
  /** Called before each unit; `undo` with its result forgets what the unit appended. */
  mark(): number;
  undo(mark: number): void;
  /** Called after the commit, and after everyone was told. */
  committed(): void;
}

export interface GroupCommitOptions {
  /** The module's name. */
  readonly name: string;
  readonly database: Database;
  readonly statements: Statements;
  readonly reads: SharedReads;
  readonly effects: GroupEffects;
  /** When a group commits, given that work waits. */
  readonly schedule: (run: () => void) => void;
  readonly now: () => number;
}

/**
 * Commits what waits in one transaction with one sync, a savepoint for each unit of work. Nobody is told anything
 * before the COMMIT, since a full disk ends the whole transaction, savepoints and all: whatever a unit found before
 * that, even its own failure, may rest on rows that are gone.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #statements: Readonly<
    Record<"begin" | "probe" | "savepoint" | "release" | "undo" | "commit", { run(): unknown }>
  >;
  readonly #commitSizes = new Distribution(SIZES);
  readonly #commitSeconds = new Distribution(SECONDS);
  #queue: QueuedWrite[] = [];
  #scheduled = false;
  #fault: { readonly reason: string; readonly atMs: number } | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: GroupCommitOptions) {
    const { database } = options;
    this.#options = options;
    this.#statements = {
      begin: database.prepare("BEGIN IMMEDIATE"),
      probe: database.prepare("UPDATE headroom SET pad = randomblob(length(pad))"),
      savepoint: database.prepare("SAVEPOINT unit"),
      release: database.prepare("RELEASE unit"),
      undo: database.prepare("ROLLBACK TO unit"),
      commit: database.prepare("COMMIT"),
    };
  }

  /** See `Store.write`. */
  write<T>(work: (unit: Unit) => Work<T>): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(new Problem("draining", "This store is closing."));
    return new Promise<T>((resolve, reject) => {
      const { name, statements, effects } = this.#options;
      const unit = new SqliteUnit(statements, effects);
      const span = beginTransactionSpan(name);
      this.#queue.push(new QueuedWrite(unit, work, resolve as (result: unknown) => void, reject, span));
      this.#wake();
    });
  }

  /** Why the last group failed, undefined if it did not. Asking later on also tries whether the fault has passed. */
  fault(): string | undefined {
    const fault = this.#fault;
    if (fault === undefined || this.#closed !== undefined) return fault?.reason;
    const passedMs = Math.abs(this.#options.now() - fault.atMs); // the clock may have been set back
    if (this.#queue.length === 0 && passedMs >= PROBE_AFTER_MS) {
      this.write(function* () {}).catch(() => undefined);
    }
    return fault.reason;
  }

  stats(): Omit<StoreStats, "deadLetters"> {
    return { queued: this.#queue.length, commitSizes: this.#commitSizes, commitSeconds: this.#commitSeconds };
  }

  /** Commits what waits, then closes the database. */
  close(): Promise<void> {
    // A turn later, so that a unit of work which closes its own store has ended.
    this.#closed ??= Promise.resolve().then(() => {
      while (this.#queue.length > 0) this.#commitGroup();
      this.#options.reads.pause(() => this.#options.database.close());
    });
    return this.#closed;
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const run = () => {
      this.#scheduled = false;
      if (this.#queue.length > 0) this.#commitGroup();
      if (this.#queue.length > 0) this.#wake();
    };
    outsideSpans(() => this.#options.schedule(run));
  }

  #commitGroup(): void {
    const group = this.#queue.splice(0, MAX_GROUP);
    const { reads, effects } = this.#options;
    const startedAt = performance.now();
    try {
      reads.pause(() => this.#runGroup(group));
    } catch (error) {
      this.#abandon(group, error);
      return;
    }
    this.#fault = undefined;
    this.#commitSizes.observe(group.length);
    this.#commitSeconds.observe((performance.now() - startedAt) / 1_000);
    for (const write of group) write.settle();
    effects.committed();
  }

  /** @throws what ends the whole group; the transaction may be open then */
  #runGroup(group: readonly QueuedWrite[]): void {
    this.#statements.begin.run();
    // Only a change of some size that reaches the disk proves that the fault has passed.
    if (this.#fault !== undefined) this.#statements.probe.run();
    for (const write of group) this.#run(write);
    this.#statements.commit.run();
  }

  /** Runs one unit of work; its own failure is undone and kept for it. @throws what ends the whole group */
  #run(write: QueuedWrite): void {
    const { database, effects } = this.#options;
    const mark = effects.mark();
    this.#statements.savepoint.run();
    try {
      write.run();
      this.#statements.release.run();
    } catch (error) {
      if (!database.inTransaction || isDatabaseFault(error)) throw error;
      this.#statements.undo.run();
      this.#statements.release.run();
      effects.undo(mark);
      write.failed(error);
    }
  }

  #abandon(group: readonly QueuedWrite[], error: unknown): void {
    const { database, effects, now } = this.#options;
    try {
      if (database.inTransaction) database.exec("ROLLBACK");
    } catch {
      // SQLite ended the transaction itself.
    }
    effects.undo(0);
    this.#fault = { reason: reasonOf(error), atMs: now() };
    const problem = problemOfFault(error);
    for (const write of group) {
      write.failed(problem);
      write.settle();
    }
  }
}

/** A unit of work that waits for its group, and what came of it. */
class QueuedWrite {
  readonly #unit: SqliteUnit;
  readonly #work: (unit: Unit) => Work<unknown>;
  readonly #resolve: (result: unknown) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #span: StatementGroup | undefined;
  #outcome: unknown;
  #failed = false;

  constructor(
    unit: SqliteUnit,
    work: (unit: Unit) => Work<unknown>,
    resolve: (result: unknown) => void,
    reject: (reason: unknown) => void,
    span: StatementGroup | undefined,
  ) {
    this.#unit = unit;
    this.#work = work;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#span = span;
  }

  run(): void {
    this.#outcome =
      this.#span === undefined
        ? this.#unit.runToEnd(this.#work)
        : this.#span.run(() => this.#unit.runToEnd(this.#work));
  }

  failed(error: unknown): void {
    this.#failed = true;
    this.#outcome = error;
  }

  settle(): void {
    this.#span?.end(this.#failed ? this.#outcome : undefined);
    if (this.#failed) {
      this.#reject(this.#outcome);
    } else {
      this.#unit.committed();
      this.#resolve(this.#outcome);
    }
  }
}
