import { setTimeout as sleep } from "node:timers/promises";
import { Distribution } from "../../../base/distribution.ts";
import { cannotWrite, isClosing, isOverloaded, mayHaveHappened, storageFull } from "../../environment-fault.ts";
import { beginTransactionSpan, type StatementGroup } from "../../statement-spans.ts";
import type { StoreStats } from "../../store.ts";
import type { Unit, Work } from "../../unit.ts";
import type { Health } from "./health.ts";
import { CONFLICT_TRIES, conflictPauseMs, despiteConflicts, faultOf } from "./postgres-fault.ts";
import type { Sessions } from "./sessions.ts";
import { type Tried, type TryOptions, tryUnit } from "./try-unit.ts";
import { type Witness, wasCommitted } from "./witness.ts";

/** How often a unit of work is begun where others were in its way, and where its connection was lost, which may just have been an old one. */
const TRIES = { conflict: CONFLICT_TRIES, lost: 4 };

/** What callers see. */
const PROBLEMS = {
  conflict: cannotWrite,
  lost: cannotWrite,
  busy: isOverloaded,
  full: storageFull,
  environment: cannotWrite,
};

/** How long it may take to find out what became of a COMMIT: a server that starts again recovers first. */
const SETTLE_MS = 10_000;

const SIZES = [1];
const SECONDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export interface UnitsOptions extends TryOptions {
  readonly sessions: Sessions;
  /** Those on which nobody's unit of work waits. */
  readonly ownSessions: Sessions;
  readonly health: Health;
  /** Called when a unit of work is on disk that appended events, before anyone is told. */
  readonly onAppended: () => void;
}

/** Runs units of work, each in a transaction of its own, tried again where that can be known to be right. */
export class Units {
  readonly #options: UnitsOptions;
  readonly #commitSizes = new Distribution(SIZES);
  readonly #commitSeconds = new Distribution(SECONDS);
  readonly #running = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(options: UnitsOptions) {
    this.#options = options;
  }

  /** See `Store.write`. */
  async write<T>(work: (unit: Unit) => Work<T>): Promise<T> {
    if (this.#isClosed) throw isClosing();
    const span = beginTransactionSpan(this.#options.name);
    const written = span === undefined ? this.#write(work, span) : span.run(() => this.#write(work, span));
    this.#running.add(written);
    try {
      const result = await written;
      span?.end();
      return result;
    } catch (error) {
      span?.end(error);
      throw error;
    } finally {
      this.#running.delete(written);
    }
  }

  stats(): StoreStats {
    const { waiting } = this.#options.sessions;
    return { queued: waiting, commitSizes: this.#commitSizes, commitSeconds: this.#commitSeconds };
  }

  /** Waits for what runs; later units of work are refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await undefined; // so that a unit of work which closes its own store has ended
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  async #write<T>(work: (unit: Unit) => Work<T>, span: StatementGroup | undefined): Promise<T> {
    for (const failed = { conflict: 0, lost: 0 }; ; ) {
      try {
        return await this.#try(work, span);
      } catch (error) {
        await this.#beforeNext(error, failed);
      }
    }
  }

  /** Waits a moment before the next try. @throws what callers see, where there is none */
  async #beforeNext(error: unknown, failed: Record<keyof typeof TRIES, number>): Promise<void> {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    if (fault === "conflict" || fault === "lost") {
      failed[fault] += 1;
      if (failed[fault] < TRIES[fault]) return sleep(pauseMs(fault, failed[fault]));
    }
    if (fault !== "conflict" && fault !== "busy") this.#options.health.failed(error);
    throw PROBLEMS[fault](error);
  }

  /** @throws whatever it failed for, of which nothing is left then; Problem when that is not known */
  async #try<T>(work: (unit: Unit) => Work<T>, span: StatementGroup | undefined): Promise<T> {
    const { sessions, health, onAppended } = this.#options;
    let startedAt = 0;
    const tried = await sessions.use((session) => {
      startedAt = performance.now();
      return tryUnit(this.#options, session, work, span);
    });
    await this.#settle(tried);
    health.worked();
    this.#commitSizes.observe(1);
    this.#commitSeconds.observe((performance.now() - startedAt) / 1_000);
    if (tried.unit.hasAppended) onAppended();
    tried.unit.committed();
    return tried.value;
  }

  /** Returns once it is known to be committed. @throws the error of its COMMIT if it was not; Problem if nobody can tell */
  async #settle<T>({ inDoubt, unit }: Tried<T>): Promise<void> {
    if (inDoubt === undefined) return;
    const { witness, error } = inDoubt;
    try {
      if (await this.#wasCommitted(witness, error)) return;
      throw error;
    } catch (failure) {
      unit.rolledBack();
      throw failure;
    }
  }

  async #wasCommitted(witness: Witness, error: unknown): Promise<boolean> {
    const until = performance.now() + SETTLE_MS;
    for (;;) {
      try {
        return await despiteConflicts(() => wasCommitted(this.#options.ownSessions, witness));
      } catch (away) {
        this.#options.health.failed(away);
        if (performance.now() > until) throw mayHaveHappened(error);
        await sleep(50);
      }
    }
  }
}

function pauseMs(fault: keyof typeof TRIES, failed: number): number {
  return fault === "conflict" ? conflictPauseMs(failed) : 10 * 4 ** failed;
}
