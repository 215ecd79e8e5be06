import { setTimeout as sleep } from "node:timers/promises";
import { cannotRead, isClosing, isOverloaded } from "../../environment-fault.ts";
import { beginTransactionSpan, type StatementGroup } from "../../statement-spans.ts";
import type { Reading, Work } from "../../unit.ts";
import type { Health } from "./health.ts";
import { despiteConflicts, faultOf, isWriteOfReader } from "./postgres-fault.ts";
import { PostgresReading } from "./postgres-unit.ts";
import type { Answer, Session, Sessions } from "./sessions.ts";

/** How often a read is begun whose connection is lost. */
const TRIES = 4;

/** All that several statements see is of one moment. */
const BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const SELECT = /^\s*SELECT\b/i;

export interface ReadsOptions {
  /** The module's name. */
  readonly name: string;
  readonly sessions: Sessions;
  readonly health: Health;
}

/** Runs what only looks. */
export class Reads {
  readonly #options: ReadsOptions;
  #isClosed = false;

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  /** See `Store.read`. */
  async read<T>(work: (reading: Reading) => Work<T>): Promise<T> {
    if (this.#isClosed) throw isClosing();
    const span = beginTransactionSpan(this.#options.name);
    try {
      const result = await this.#read(work, span);
      span?.end();
      return result;
    } catch (error) {
      span?.end(error);
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
  }

  async #read<T>(work: (reading: Reading) => Work<T>, span: StatementGroup | undefined): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await despiteConflicts(() => this.#options.sessions.use((session) => readOnce(session, work, span)));
      } catch (error) {
        await this.#beforeNext(error, tries);
      }
    }
  }

  /** Waits a moment before the next try. @throws what callers see, where there is none */
  async #beforeNext(error: unknown, tries: number): Promise<void> {
    if (isWriteOfReader(error)) throw new Error("only a unit of work can write", { cause: error });
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    if (fault === "busy") throw isOverloaded(error);
    if (fault === "lost" && tries < TRIES) return sleep(10 * 4 ** tries);
    if (fault !== "conflict") this.#options.health.failed(error);
    throw cannotRead(error);
  }
}

async function readOnce<T>(
  session: Session,
  work: (reading: Reading) => Work<T>,
  span: StatementGroup | undefined,
): Promise<T> {
  let begun: Promise<Answer> | undefined;
  let isLone = false;
  const reading = new PostgresReading();
  try {
    return await reading.runToEnd(
      work,
      (query) => {
        const statement = session.write(query);
        span?.add(statement.text);
        // A lone SELECT is of one moment as it is.
        if (begun === undefined && !(isLone && SELECT.test(statement.text))) {
          begun = session.command(BEGIN);
          begun.catch(() => undefined); // the statement fails as well
        }
        return session.send(statement);
      },
      (alone) => {
        isLone = alone;
      },
    );
  } catch (error) {
    throw faultOf(reading.failure) === undefined ? error : reading.failure;
  } finally {
    if (begun !== undefined) session.command("ROLLBACK").catch(() => undefined);
  }
}
