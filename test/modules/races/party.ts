import type { Client } from "pg";
import { KeptAnswers } from "../../../src/store/answers.ts";
import { Rendered } from "../../../src/store/rendered.ts";
import { type Query, sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import { type Reading, Step, type Unit, type Work } from "../../../src/store/unit.ts";

/** What a unit of work asks of its engine; whoever runs it performs each step when its turn comes. */
class SteppedStep<T> extends Step<T> {
  readonly query: Query;
  readonly answerOf: (rows: readonly unknown[], count: number) => unknown;
  #asked = false;

  constructor(query: Query, answerOf: SteppedStep<T>["answerOf"]) {
    super();
    this.query = query;
    this.answerOf = answerOf;
  }

  next(answer: unknown): IteratorResult<Step, T> {
    if (this.#asked) return { done: true, value: answer as T };
    this.#asked = true;
    return { done: false, value: this };
  }
}

/** Work of several steps, each with a turn of its own. */
class SteppedWork extends Step<void> {
  readonly #work: Work<void>;

  constructor(work: Work<void>) {
    super();
    this.#work = work;
  }

  next(answer: unknown): IteratorResult<Step, void> {
    return this.#work.next(answer);
  }

  override throw(error: unknown): IteratorResult<Step, void> {
    return this.#work.throw(error);
  }
}

const statements = new Rendered({
  speak: (query) => query.postgres ?? query,
  placeholder: (number) => `$${number}`,
  prepare: (text) => text,
});

/** How far a party has come: it can go on, waits for a lock that another holds, or has ended. */
export type Standing = "ready" | "blocked" | "ended";

/** Milliseconds between two looks at whether a statement waits for a lock. */
const LOOK_MS = 1;

/**
 * One of two that work on the same rows at the same time: units of work on a connection of its own, of which each step, and the
 * COMMIT, is made when it is told to go on.
 */
export class Party {
  readonly store: Store;
  /** How often the server has undone its work since two waited for one another, or could not be told in an order. */
  undone = 0;
  /** The tables that its statements have named. */
  readonly touched = new Set<string>();
  readonly #client: Client;
  readonly #isBlocked: () => Promise<boolean>;
  readonly #answers: KeptAnswers;
  #turn = Promise.withResolvers<void>();
  #waits = Promise.withResolvers<void>();
  #ended = true;
  #outcome: Promise<unknown> = Promise.resolve();

  /** @param isBlocked whether this connection waits for a lock, as another tells */
  constructor(client: Client, isBlocked: () => Promise<boolean>, nowMs: number) {
    this.#client = client;
    this.#isBlocked = isBlocked;
    const write: Store["write"] = (work) => this.#write(work);
    this.#answers = new KeptAnswers({ read: write, write, settledNow: () => nowMs, deletionNow: () => nowMs });
    // What no unit of work uses is not there.
    this.store = {
      name: "raced",
      read: write,
      write,
      overwriteDeleted() {},
      emptyLog: async () => true,
    } as unknown as Store;
  }

  /** Begins work, up to where its first step is to be made. */
  async begin(work: (store: Store) => Promise<unknown>): Promise<void> {
    this.#ended = false;
    this.#waits = Promise.withResolvers();
    this.#outcome = work(this.store)
      .catch((error: unknown) => ({ failed: error instanceof Error ? error.message : error }))
      .finally(() => {
        this.#ended = true;
        this.#waits.resolve();
      });
    await this.#waits.promise;
  }

  /** Makes the next step. Resolves when it is made, or waits for a lock. */
  async goOn(): Promise<Standing> {
    if (this.#ended) return "ended";
    this.#waits = Promise.withResolvers();
    this.#turn.resolve();
    return this.settled();
  }

  /** Resolves how it stands once its last step is made, or waits for a lock. */
  async settled(): Promise<Standing> {
    let made = false;
    const waits = this.#waits.promise.then(() => {
      made = true;
    });
    for (;;) {
      await Promise.race([waits, new Promise((resolve) => setTimeout(resolve, LOOK_MS))]);
      if (made) return this.#ended ? "ended" : "ready";
      if (await this.#isBlocked()) return "blocked";
    }
  }

  /** What the work has come to: its result, or why it failed. */
  outcome(): Promise<unknown> {
    return this.#outcome;
  }

  async #write<T>(work: (unit: Unit) => Work<T>): Promise<T> {
    for (;;) {
      try {
        await this.#client.query("BEGIN");
        const result = await this.#run(work);
        await this.#ownTurn();
        await this.#client.query("COMMIT");
        return result;
      } catch (error) {
        await this.#client.query("ROLLBACK");
        if (!isUndone(error)) throw error;
        this.undone += 1;
      }
    }
  }

  async #run<T>(begin: (unit: Unit) => Work<T>): Promise<T> {
    const work = begin(this.#unit());
    let result = work.next(undefined);
    while (result.done !== true) {
      await this.#ownTurn();
      result = await this.#perform(result.value as SteppedStep<unknown>).then(
        (answer) => work.next(answer),
        (error: unknown) => work.throw(error),
      );
    }
    return result.value;
  }

  async #ownTurn(): Promise<void> {
    this.#turn = Promise.withResolvers();
    this.#waits.resolve();
    await this.#turn.promise;
  }

  async #perform({ query, answerOf }: SteppedStep<unknown>): Promise<unknown> {
    const known = statements.find(query);
    const { prepared: text } = known;
    for (const [, table] of text.matchAll(/(?:FROM|INTO|UPDATE) (\w+)/g)) this.touched.add(table ?? "");
    const { rows, rowCount } = await this.#client.query(text, [...statements.valuesOf(query, known)]);
    return answerOf(rows, rowCount ?? 0);
  }

  #unit(): Unit {
    const step = <T>(query: Query, answerOf: SteppedStep<T>["answerOf"]) => new SteppedStep<T>(query, answerOf);
    const reading: Reading = {
      get: (query) => step(query, ([row]) => row),
      all: (query) => step(query, (rows) => rows),
    };
    const unit: Unit = {
      ...reading,
      lock: (query) => step(sql`${query} FOR UPDATE`, ([row]) => row),
      run: (query) => step(query, (_, count) => count),
      append: ({ type, subject }) => step(sql`INSERT INTO appended VALUES (${type}, ${subject})`, () => undefined),
      keepAnswer: (claim, answer, person) => new SteppedWork(this.#answers.keep(unit, claim, answer, person)),
      forgetAnswers: (person) => new SteppedWork(this.#answers.forget(unit, person)),
      afterCommit() {},
    };
    return unit;
  }
}

/** A deadlock, or no order in which both could be told. */
function isUndone(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "40P01" || error.code === "40001");
}
