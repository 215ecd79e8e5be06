import type { Claim } from "../../../contract/claim.ts";
import type { EventDraft } from "../../../contract/event.ts";
import type { Query } from "../../sql.ts";
import { type Reading, Step, type Unit, type Work } from "../../unit.ts";
import type { Statements } from "./statements.ts";

/** What a unit of work writes beside the module's own rows. */
export interface UnitEffects {
  append(draft: EventDraft): void;
  keepAnswer(unit: Unit, claim: Claim, answer: unknown, person?: string): Work<void>;
  forgetAnswers(unit: Unit, person: string): Work<void>;
}

/** How a statement is run. */
type Way = "get" | "all" | "run";

/** A statement, or something else that its unit of work does. Made often, so it holds what it needs in place of a closure. */
class SqliteStep<T> extends Step<T> {
  readonly #owner: SqliteReading;
  readonly query: Query | undefined;
  readonly way: Way;
  readonly effect: (() => void) | undefined;

  constructor(owner: SqliteReading, query: Query | undefined, way: Way, effect?: () => void) {
    super();
    this.#owner = owner;
    this.query = query;
    this.way = way;
    this.effect = effect;
  }

  /** Done at once: whoever asks with `yield*` goes straight on. */
  next(): IteratorResult<Step, T> {
    return { done: true, value: this.#owner.perform(this) as T };
  }
}

/** Makes the steps of one piece of work, and sees to it that each that was made is run, and before the work ends. */
export class SqliteReading implements Reading {
  readonly #statements: Statements;
  readonly #mayWrite: boolean;
  /** How many steps were made and not run. */
  #open = 0;
  #isRunning = false;
  #hasFailed = false;

  constructor(statements: Statements, mayWrite = false) {
    this.#statements = statements;
    this.#mayWrite = mayWrite;
  }

  get<Row>(query: Query<Row>): Step<Row | undefined> {
    return this.step(query, "get");
  }

  all<Row>(query: Query<Row>): Step<Row[]> {
    return this.step(query, "all");
  }

  /**
   * Runs work to its end, once.
   * @throws whatever it throws; Error when a step was made and not run, or did not end it though it failed
   */
  runToEnd<T>(begin: (unit: this) => Work<T>): T {
    this.#isRunning = true;
    try {
      const { done, value } = begin(this).next(undefined);
      if (this.#hasFailed) throw cannotGoOn();
      if (done !== true || this.#open > 0) {
        throw new Error("a step of this unit of work was not run: `yield*` is missing");
      }
      return value;
    } finally {
      this.#isRunning = false;
    }
  }

  /** @throws Error unless the work that it is of runs now, and all before it went well; SqliteError */
  perform(step: SqliteStep<unknown>): unknown {
    this.#requireRunning();
    if (this.#hasFailed) throw cannotGoOn();
    this.#open -= 1;
    try {
      return this.#perform(step);
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  protected step<T>(query: Query | undefined, way: Way, effect?: () => void): Step<T> {
    this.#requireRunning();
    this.#open += 1;
    return new SqliteStep<T>(this, query, way, effect);
  }

  #perform({ query, way, effect }: SqliteStep<unknown>): unknown {
    if (query === undefined) return effect?.();
    if (way === "get") return this.#statements.get(query, this.#mayWrite);
    return way === "all" ? this.#statements.all(query, this.#mayWrite) : this.#statements.run(query);
  }

  #requireRunning(): void {
    if (!this.#isRunning) throw new Error("this unit of work is not running");
  }
}

function cannotGoOn(): Error {
  return new Error("a unit of work cannot go on from a step that failed");
}

/** A unit of work inside its group's transaction. */
export class SqliteUnit extends SqliteReading implements Unit {
  readonly #effects: UnitEffects;
  #afterCommit: (() => void)[] | undefined;

  constructor(statements: Statements, effects: UnitEffects) {
    super(statements, true);
    this.#effects = effects;
  }

  /** Nobody else writes before the transaction ends. */
  lock<Row>(query: Query<Row>): Step<Row | undefined> {
    return this.step(query, "get");
  }

  run(query: Query): Step<number> {
    return this.step(query, "run");
  }

  append(draft: EventDraft): Step<void> {
    return this.step(undefined, "run", () => this.#effects.append(draft));
  }

  keepAnswer(claim: Claim, answer: unknown, person?: string): Step<void> {
    return this.#asStep(() => this.#effects.keepAnswer(this, claim, answer, person));
  }

  forgetAnswers(person: string): Step<void> {
    return this.#asStep(() => this.#effects.forgetAnswers(this, person));
  }

  afterCommit(then: () => void): void {
    this.#afterCommit ??= [];
    this.#afterCommit.push(then);
  }

  /** Work of several steps as one, so that it is known when it is made and not run. */
  #asStep(work: () => Work<void>): Step<void> {
    return this.step(undefined, "run", () => void work().next(undefined));
  }

  /** Does what was to be done once it is on disk. What one of them throws harms nobody. */
  committed(): void {
    if (this.#afterCommit === undefined) return;
    for (const then of this.#afterCommit.splice(0)) {
      try {
        then();
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}
