import type { Claim } from "../../../contract/claim.ts";
import type { EventDraft } from "../../../contract/event.ts";
import type { Query } from "../../sql.ts";
import { type Reading, Step, type Unit, type Work } from "../../unit.ts";
import type { Answer } from "./sessions.ts";

/** What a unit of work writes beside the module's own rows. */
export interface UnitEffects {
  append(draft: EventDraft): void;
  keepAnswer(unit: Unit, claim: Claim, answer: unknown, person?: string): Work<void>;
  forgetAnswers(unit: Unit, person: string): Work<void>;
}

/** Sends a statement of a unit of work. @param locks whether what it finds stays as it is until the unit ends */
export type Ask = (query: Query, locks: boolean) => Promise<Answer>;

type Way = "get" | "all" | "run" | "lock";

/** A statement: yielded, to be awaited, and then given its answer. */
class Statement<T> extends Step<T> {
  readonly owner: PostgresReading;
  readonly query: Query;
  readonly way: Way;
  #isAsked = false;

  constructor(owner: PostgresReading, query: Query, way: Way) {
    super();
    this.owner = owner;
    this.query = query;
    this.way = way;
  }

  next(answer: unknown): IteratorResult<Step, T> {
    if (this.#isAsked) return { done: true, value: answer as T };
    this.#isAsked = true;
    this.owner.begin();
    return { done: false, value: this };
  }
}

/** Work of several steps as one, or of none, so that it is known when it is made and not run. */
class Compound extends Step<void> {
  readonly #owner: PostgresReading;
  readonly #make: () => Work<void>;
  #begun: { readonly work: Work<void> } | undefined;

  constructor(owner: PostgresReading, make: () => Work<void>) {
    super();
    this.#owner = owner;
    this.#make = make;
  }

  next(answer: unknown): IteratorResult<Step, void> {
    return this.#owner.noting(() => {
      if (this.#begun !== undefined) return this.#begun.work.next(answer);
      this.#owner.begin();
      this.#begun = { work: this.#make() };
      return this.#begun.work.next(undefined);
    });
  }

  override throw(error: unknown): IteratorResult<Step, void> {
    return this.#owner.noting(() => this.#begun?.work.throw(error) ?? super.throw(error));
  }
}

/** Makes the steps of one piece of work, and sees to it that each that was made is run, and before the work ends. */
export class PostgresReading implements Reading {
  /** How many steps were made and not run. */
  #open = 0;
  #isRunning = false;
  /** Why a step failed, if one did: whatever the work makes of it, it cannot go on. */
  #failure: { readonly error: unknown } | undefined;

  get<Row>(query: Query<Row>): Step<Row | undefined> {
    return this.statement(query, "get");
  }

  all<Row>(query: Query<Row>): Step<Row[]> {
    return this.statement(query, "all");
  }

  /** Why its statement failed, undefined if none did. */
  get failure(): unknown {
    return this.#failure?.error;
  }

  /**
   * Runs work to its end, once.
   * @param ask is given each statement; @param isLone told beforehand whether there is but one
   * @throws whatever it throws; Error when a step was made and not run, or did not end it though it failed
   */
  async runToEnd<T>(make: (unit: this) => Work<T>, ask: Ask, onBegin?: (isLone: boolean) => void): Promise<T> {
    this.#isRunning = true;
    try {
      const work = make(this);
      onBegin?.(isStatement(work));
      const value = await this.#drive(work, ask);
      if (this.#failure !== undefined) throw cannotGoOn();
      if (this.#open > 0) throw new Error("a step of this unit of work was not run: `yield*` is missing");
      return value;
    } finally {
      this.#isRunning = false;
    }
  }

  /** A step of it begins. @throws Error unless the work runs now, and all before it went well */
  begin(): void {
    this.#requireRunning();
    if (this.#failure !== undefined) throw cannotGoOn();
    this.#open -= 1;
  }

  /** Does a part of the work that ends it where it fails. @throws whatever `part` throws */
  noting<T>(part: () => T): T {
    try {
      return part();
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  protected statement<T>(query: Query, way: Way): Step<T> {
    return this.#made(new Statement<T>(this, query, way));
  }

  protected compound(make: () => Work<void>): Step<void> {
    return this.#made(new Compound(this, make));
  }

  async #drive<T>(work: Work<T>, ask: Ask): Promise<T> {
    let result = work.next(undefined);
    while (result.done !== true) {
      const answer = await this.#answer(result.value, ask);
      result = "value" in answer ? work.next(answer.value) : work.throw(answer.error);
    }
    return result.value;
  }

  async #answer(step: Step, ask: Ask): Promise<{ readonly value: unknown } | { readonly error: unknown }> {
    try {
      if (!isStatement(step) || step.owner !== this) throw new Error("this step is of another unit of work");
      const { rows, rowCount } = await ask(step.query, step.way === "lock");
      if (step.way === "run") return { value: rowCount ?? 0 };
      return { value: step.way === "all" ? rows : rows[0] };
    } catch (error) {
      this.#failure ??= { error };
      return { error };
    }
  }

  #made<S>(step: S): S {
    this.#requireRunning();
    this.#open += 1;
    return step;
  }

  #requireRunning(): void {
    if (!this.#isRunning) throw new Error("this unit of work is not running");
  }
}

function isStatement(work: unknown): work is Statement<unknown> {
  return work instanceof Statement;
}

function cannotGoOn(): Error {
  return new Error("a unit of work cannot go on from a step that failed");
}

function* appendTo({ append }: UnitEffects, draft: EventDraft): Work<void> {
  append(draft);
}

/** A unit of work in its transaction. */
export class PostgresUnit extends PostgresReading implements Unit {
  readonly #effects: UnitEffects;
  readonly #afterCommit: (() => void)[] = [];

  constructor(effects: UnitEffects) {
    super();
    this.#effects = effects;
  }

  lock<Row>(query: Query<Row>): Step<Row | undefined> {
    return this.statement(query, "lock");
  }

  run(query: Query): Step<number> {
    return this.statement(query, "run");
  }

  append(draft: EventDraft): Step<void> {
    return this.compound(() => appendTo(this.#effects, draft));
  }

  keepAnswer(claim: Claim, answer: unknown, person?: string): Step<void> {
    return this.compound(() => this.#effects.keepAnswer(this, claim, answer, person));
  }

  forgetAnswers(person: string): Step<void> {
    return this.compound(() => this.#effects.forgetAnswers(this, person));
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
}
