import type { Claim } from "../contract/claim.ts";
import type { EventDraft } from "../contract/event.ts";
import type { Query } from "./sql.ts";

/**
 * What a unit of work does, step by step: a generator that asks its engine, with `yield*`, and nobody else, or a single step. So it
 * runs in one go where the engine is in this process, and is awaited step by step where it is not; nothing else can come in between.
 *
 * What runs often is a generator function of its file, not one that is made anew for each unit: V8 makes a hidden class for each that
 * is called, in its old generation, and that keeps all that the function closes over, a whole request, until a full collection.
 */
export interface Work<T> {
  [Symbol.iterator](): Iterator<Step, T, unknown>;
  next(answer: unknown): IteratorResult<Step, T>;
  throw(error: unknown): IteratorResult<Step, T>;
}

/**
 * One thing that a unit of work wants of its engine: `const row = yield* unit.get(…)`. Each engine has its own: one in this process
 * is done with it at once, one elsewhere yields it, to be awaited.
 */
export abstract class Step<T = unknown> implements Work<T> {
  [Symbol.iterator](): this {
    return this;
  }

  abstract next(answer: unknown): IteratorResult<Step, T>;

  throw(error: unknown): IteratorResult<Step, T> {
    throw error;
  }
}

/** What looks at a module's data can ask for. */
export interface Reading {
  /** The first row, undefined if there is none. */
  get<Row>(query: Query<Row>): Step<Row | undefined>;
  /** All rows. */
  all<Row>(query: Query<Row>): Step<Row[]>;
}

/** What a unit of work can ask for: its rows, events, cursors and kept answers commit together or not at all. */
export interface Unit extends Reading {
  /** As `get`, and nobody else changes what it finds before this unit ends: of several rows, each is locked in the order asked for. */
  lock<Row>(query: Query<Row>): Step<Row | undefined>;
  /** Runs a statement for its effect. Answers how many rows it changed. */
  run(query: Query): Step<number>;
  /** Appends an event to the module's log: the outbox is the log. */
  append(draft: EventDraft): Step<void>;
  /**
   * Keeps the answer of an idempotent operation with the change that it tells of.
   * @param person the id of whom it tells, where that is not whose key it is
   */
  keepAnswer(claim: Claim, answer: unknown, person?: string): Step<void>;
  /** Forgets all answers to this person, and those that tell of them. */
  forgetAnswers(person: string): Step<void>;
  /** Has something done once all of it is on disk, and only then: to wake who waits, to drop what was remembered. */
  afterCommit(then: () => void): void;
}
