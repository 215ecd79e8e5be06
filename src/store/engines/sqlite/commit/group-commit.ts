import type { Database } from "better-sqlite3";
import { Distribution } from "../../../../base/distribution.ts";
import type { Problem } from "../../../../base/problem.ts";
import { outsideSpans } from "../../../../base/span.ts";
import { cannotRead, cannotWrite, isClosing, mayHaveHappened } from "../../../environment-fault.ts";
import { reasonOf } from "../../../refusal.ts";
import { beginTransactionSpan } from "../../../statement-spans.ts";
import type { StoreStats } from "../../../store.ts";
import type { Unit, Work } from "../../../unit.ts";
import type { SharedReads } from "../shared-reads.ts";
import { isFailedSync, problemOfDistrust, problemOfFault } from "../sqlite-fault.ts";
import { SqliteUnit, type UnitEffects } from "../sqlite-unit.ts";
import type { Statements } from "../statements.ts";
import { closeAsItIs } from "./close-as-it-is.ts";
import { GroupTransaction, type TransactionEffects } from "./group-transaction.ts";
import { QueuedWrite } from "./queued-write.ts";
import type { WriteAheadLog } from "./write-ahead-log.ts";

/** The most units of work in one transaction: bounds how long a group keeps the event loop. */
const MAX_GROUP = 256;

const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, MAX_GROUP];
const SECONDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What must pass after a fault before asking for it tries a write again. */
const PROBE_AFTER_MS = 1_000;

/** What units of work write beside the module's own rows; what it remembers follows the fate of the transaction. */
export interface GroupEffects extends UnitEffects, TransactionEffects {
  /** Called when so many units of work are on disk, and after everyone was told. */
  committed(units: number): void;
}

export interface GroupCommitOptions {
  /** The module's name. */
  readonly name: string;
  readonly database: Database;
  readonly statements: Statements;
  readonly reads: SharedReads;
  readonly log: WriteAheadLog;
  readonly effects: GroupEffects;
  /** When a group commits, given that work waits. */
  readonly schedule: (run: () => void) => void;
  /** The same where the last group was of one: what is not expected to have company need not wait for it. */
  readonly scheduleAlone: (run: () => void) => void;
  readonly now: () => number;
  /** Told once when a sync has failed, and why. */
  readonly onDistrust: (reason: string) => void;
}

/** Databases whose files are not trusted any more. To let go of one would close it, and that would move its log into it. */
const distrusted = new Set<Database>();

/**
 * Commits what waits in one transaction with one sync, a savepoint for each unit of work. The sync holds nobody up: who comes
 * meanwhile goes in the next group, which begins when it has ended. Nobody is told anything before that, since a full disk ends
 * the whole transaction, savepoints and all, and the power may: whatever a unit found before, even its own failure, may rest on
 * rows that are gone.
 *
 * A sync that fails is the end of all trust in the file: the kernel may have dropped the pages, and says of the next sync that all
 * is well (https://wiki.postgresql.org/wiki/Fsync_Errors). The rows stay in the write-ahead log, to be judged by their checksums
 * when the database is opened anew.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #transaction: GroupTransaction;
  readonly #commitSizes = new Distribution(SIZES);
  readonly #commitSeconds = new Distribution(SECONDS);
  #queue: QueuedWrite[] = [];
  /** What runs while nothing is committed. */
  readonly #guests: (() => void)[] = [];
  /** Whether a group is on its way to the disk, or a guest is there. */
  #isBusy = false;
  #scheduled = false;
  #hadCompany = false;
  /** What those wait for who have read what is on its way to the disk. */
  #onDisk: PromiseWithResolvers<void> | undefined;
  #isSyncing = false;
  #fault: { readonly reason: string; readonly atMs: number } | undefined;
  #distrust: string | undefined;
  #closed: Promise<void> | undefined;
  #crash: Error | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#transaction = new GroupTransaction(options.database, options.effects);
  }

  /** See `Store.write`. */
  write<T>(work: (unit: Unit) => Work<T>): Promise<T> {
    if (this.#crash !== undefined) return Promise.reject(cannotWrite(this.#crash));
    if (this.#closed !== undefined) return Promise.reject(isClosing());
    if (this.#distrust !== undefined) return Promise.reject(problemOfDistrust(this.#distrust));
    return new Promise<T>((resolve, reject) => {
      const { name, statements, effects } = this.#options;
      const unit = new SqliteUnit(statements, effects);
      const span = beginTransactionSpan(name);
      this.#queue.push(new QueuedWrite(unit, work, resolve as (result: unknown) => void, reject, span));
      this.#wake();
    });
  }

  /**
   * Waits until all that could be read by now is on disk. Undefined where that is so already.
   * @throws Problem dependency-unavailable when it may never be
   */
  onDisk(): Promise<void> | undefined {
    if (this.#distrust !== undefined) return Promise.reject(problemOfDistrust(this.#distrust));
    if (!this.#isSyncing) return undefined;
    this.#onDisk ??= Promise.withResolvers();
    return this.#onDisk.promise;
  }

  /**
   * Runs work while nothing is committed, and no group is on its way. What comes meanwhile waits.
   * @throws whatever `work` throws; Problem dependency-unavailable once a sync has failed
   */
  async betweenGroups<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      if (this.#distrust !== undefined) throw problemOfDistrust(this.#distrust);
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** From now on nothing is committed, read or moved: a sync has failed. */
  distrust(reason: string): void {
    if (this.#distrust !== undefined) return;
    this.#distrust = reason;
    rejectAll(this.#queue.splice(0), problemOfDistrust(reason));
    this.#options.onDistrust(reason);
  }

  /** Why the last group failed, undefined if it did not. Asking later on also tries whether the fault has passed. */
  fault(): string | undefined {
    if (this.#distrust !== undefined) return this.#distrust;
    const fault = this.#fault;
    if (fault === undefined || this.#closed !== undefined) return fault?.reason;
    const passedMs = Math.abs(this.#options.now() - fault.atMs); // the clock may have been set back
    if (this.#queue.length === 0 && passedMs >= PROBE_AFTER_MS) {
      this.write(function* () {}).catch(() => undefined);
    }
    return fault.reason;
  }

  stats(): StoreStats {
    return { queued: this.#queue.length, commitSizes: this.#commitSizes, commitSeconds: this.#commitSeconds };
  }

  /** Commits what waits, then closes the database. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** See `Store.crash`. */
  crash(): Promise<void> {
    if (this.#closed !== undefined) return this.#closed;
    this.#crash = new Error("closed as by a crash");
    rejectAll(this.#queue.splice(0), cannotWrite(this.#crash));
    this.#onDisk?.reject(cannotRead(this.#crash));
    this.#onDisk = undefined;
    this.#closed = this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await undefined; // so that a unit of work which closes its own store has ended
    while (this.#isBusy || this.#queue.length > 0) {
      if (!this.#isBusy) this.#commitGroup();
      await this.#enter();
      this.#leave();
    }
    this.#options.log.close();
    // Closing the last connection would move the log into the database, unlooked at.
    const { database, reads } = this.#options;
    if (this.#distrust !== undefined) distrusted.add(database);
    else reads.pause(() => (this.#crash === undefined ? database.close() : closeAsItIs(database)));
  }

  #wake(): void {
    this.#soon(() => {
      if (!this.#isBusy && this.#queue.length > 0) this.#commitGroup();
    });
  }

  #soon(run: () => void): void {
    if (this.#scheduled || this.#isBusy) return;
    this.#scheduled = true;
    const scheduled = () => {
      this.#scheduled = false;
      run();
    };
    const { schedule, scheduleAlone } = this.#options;
    outsideSpans(() => (this.#hadCompany ? schedule : scheduleAlone)(scheduled));
  }

  #enter(): Promise<void> {
    return new Promise((enter) => {
      this.#guests.push(enter);
      this.#goOn();
    });
  }

  /** Lets in who is next, where there is room: guests first. */
  #goOn(): void {
    if (this.#isBusy) return;
    const guest = this.#guests.shift();
    if (guest === undefined) {
      // A turn later: who has just been told comes back with more, and goes along. A third fewer groups under load.
      this.#hadCompany ||= this.#queue.length > 0;
      if (this.#queue.length > 0) this.#soon(() => this.#wake());
      return;
    }
    this.#isBusy = true;
    guest();
  }

  #leave(): void {
    this.#isBusy = false;
    this.#goOn();
  }

  #commitGroup(): void {
    const group = this.#queue.splice(0, MAX_GROUP);
    const startedAt = performance.now();
    this.#isBusy = true;
    this.#hadCompany = group.length > 1;
    try {
      // Only a change of some size that reaches the disk proves that a fault has passed.
      this.#options.reads.pause(() => this.#transaction.run(group, this.#fault !== undefined));
    } catch (error) {
      if (isFailedSync(error)) this.#loseTrust(group, error);
      else this.#abandon(group, error);
      this.#leave();
      return;
    }
    this.#isSyncing = true;
    this.#options.log.sync((error) => {
      this.#isSyncing = false;
      if (error !== undefined || this.#distrust !== undefined) this.#loseTrust(group, error);
      else if (this.#crash !== undefined) rejectAll(group, mayHaveHappened(this.#crash));
      else this.#committed(group, startedAt);
      this.#leave();
    });
  }

  #committed(group: readonly QueuedWrite[], startedAt: number): void {
    this.#fault = undefined;
    this.#commitSizes.observe(group.length);
    this.#commitSeconds.observe((performance.now() - startedAt) / 1_000);
    for (const write of group) write.settle();
    this.#onDisk?.resolve();
    this.#onDisk = undefined;
    this.#options.effects.committed(group.length);
  }

  /** The rows of the group may be on disk, or not; whoever has seen them is told so. */
  #loseTrust(group: readonly QueuedWrite[], error: unknown): void {
    const reason = this.#distrust ?? reasonOf(error);
    this.#options.effects.undo(0);
    rejectAll(group, problemOfFault(error));
    this.#onDisk?.reject(problemOfDistrust(reason));
    this.#onDisk = undefined;
    this.distrust(reason);
  }

  #abandon(group: readonly QueuedWrite[], error: unknown): void {
    const { effects, now } = this.#options;
    effects.undo(0);
    this.#fault = { reason: reasonOf(error), atMs: now() };
    rejectAll(group, problemOfFault(error));
  }
}

function rejectAll(writes: readonly QueuedWrite[], problem: Problem): void {
  for (const write of writes) {
    write.failed(problem);
    write.settle();
  }
}
