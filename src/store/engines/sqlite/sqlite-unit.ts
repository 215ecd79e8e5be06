import { activeSpan } from "../../../base/span.ts";
import type { EventDraft } from "../../../contract/event.ts";
import type { Claim } from "../../claim.ts";
import type { Query } from "../../sql.ts";
import { type Reading, Step, type Unit, type Work } from "../../unit.ts";
import type { Prepared, Statements } from "./statements.ts";

/** What a unit of work writes beside the module's own rows. */
export interface UnitEffects {
  append(draft: EventDraft): void;
  keepAnswer(claim: Claim, answer: unknown, person?: string): void;
  forgetAnswers(person: string): void;
}

/** Makes the steps of one piece of work, and sees to it that each that was made is run, here, and before the work ends. */
export class SqliteReading implements Reading {
  protected readonly statements: Statements;
  readonly #open = new Set<Step>();
  #isRunning = false;
  #hasFailed = false;

  constructor(statements: Statements) {
    this.statements = statements;
  }

  get<Row>(query: Query<Row>): Step<Row | undefined> {
    return this.step(() => {
      const { statement, values } = this.prepared(query);
      return statement.get(...values) as Row | undefined;
    });
  }

  all<Row>(query: Query<Row>): Step<Row[]> {
    return this.step(() => {
      const { statement, values } = this.prepared(query);
      return statement.all(...values) as Row[];
    });
  }

  /**
   * Runs work to its end, once.
   * @throws whatever it throws; Error when a step was made and not run, is of another unit, or follows one that failed
   */
  runToEnd<T>(begin: () => Work<T>): T {
    this.#isRunning = true;
    try {
      const work = begin();
      let result = work.next(undefined);
      while (!result.done) {
        try {
          result = work.next(this.#run(result.value));
        } catch (error) {
          if (!this.#hasFailed) throw error;
          result = work.throw(error);
        }
      }
      if (this.#hasFailed) throw cannotGoOn();
      if (this.#open.size > 0) throw new Error("a step of this unit of work was not run: `yield*` is missing");
      return result.value;
    } finally {
      this.#isRunning = false;
    }
  }

  protected prepared(query: Query): Prepared {
    const prepared = this.statements.of(query);
    if (!prepared.statement.readonly) throw new Error("only a unit of work can write");
    return prepared;
  }

  /** Its statements belong to the span in which it is made. */
  protected step<T>(run: () => T): Step<T> {
    if (!this.#isRunning) throw new Error("this unit of work is not running");
    const span = activeSpan();
    const step = new Step<T>(span === undefined ? run : () => span.run(run));
    this.#open.add(step);
    return step;
  }

  #run(step: Step): unknown {
    if (!this.#open.delete(step)) throw new Error("this step is of another unit of work");
    if (this.#hasFailed) throw cannotGoOn();
    try {
      return step.run();
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }
}

function cannotGoOn(): Error {
  return new Error("a unit of work cannot go on from a step that failed");
}

/** A unit of work inside its group's transaction. */
export class SqliteUnit extends SqliteReading implements Unit {
  readonly #effects: UnitEffects;
  #afterCommit: (() => void)[] = [];

  constructor(statements: Statements, effects: UnitEffects) {
    super(statements);
    this.#effects = effects;
  }

  /** Nobody else writes before the transaction ends. */
  lock<Row>(query: Query<Row>): Step<Row | undefined> {
    return this.get(query);
  }

  run(query: Query): Step<number> {
    return this.step(() => {
      const { statement, values } = this.prepared(query);
      return statement.run(...values).changes;
    });
  }

  append(draft: EventDraft): Step<void> {
    return this.step(() => this.#effects.append(draft));
  }

  keepAnswer(claim: Claim, answer: unknown, person?: string): Step<void> {
    return this.step(() => this.#effects.keepAnswer(claim, answer, person));
  }

  forgetAnswers(person: string): Step<void> {
    return this.step(() => this.#effects.forgetAnswers(person));
  }

  afterCommit(then: () => void): void {
    this.#afterCommit.push(then);
  }

  /** Does what was to be done once it is on disk. What one of them throws harms nobody. */
  committed(): void {
    for (const then of this.#afterCommit.splice(0)) {
      try {
        then();
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }

  protected override prepared(query: Query): Prepared {
    return this.statements.of(query);
  }
}
