import { type DraftedEvent, draftEvent } from "../../log/cloud-events.ts";
import { type Query, sql } from "../../sql.ts";
import type { StatementGroup } from "../../statement-spans.ts";
import type { Unit, Work } from "../../unit.ts";
import { faultOf, isRefusedCommit } from "./postgres-fault.ts";
import { PostgresUnit, type UnitEffects } from "./postgres-unit.ts";
import type { Answer, Session } from "./sessions.ts";
import { beginUnit, type Witness } from "./witness.ts";

export interface TryOptions extends Pick<UnitEffects, "keepAnswer" | "forgetAnswers"> {
  /** The module: events are of the source `/<name>`. */
  readonly name: string;
  readonly now: () => number;
}

/** What a try came to: committed, unless it is in doubt. */
export interface Tried<T> {
  readonly value: T;
  readonly unit: AppendingUnit;
  /** Set when nobody answered the COMMIT. */
  readonly inDoubt: { readonly witness: Witness; readonly error: unknown } | undefined;
}

/**
 * Runs a unit of work in a transaction, once. BEGIN goes out with the first statement, the events with the COMMIT.
 * @param span told of its statements
 * @throws whatever it fails for; nothing of it is left then, or soon
 */
export async function tryUnit<T>(
  options: TryOptions,
  session: Session,
  work: (unit: Unit) => Work<T>,
  span: StatementGroup | undefined,
): Promise<Tried<T>> {
  const unit = new AppendingUnit(options);
  const begun = beginUnit(session);
  begun.catch(() => undefined); // whoever asks for something then hears of it, too
  try {
    const send = (query: Query, locks = false) => {
      const statement = session.write(query, locks);
      span?.add(statement.text);
      return session.send(statement);
    };
    const value = await unit.runToEnd(work, send);
    const witness = await begun;
    const arrival = unit.arrival();
    const arrived = arrival === undefined ? undefined : send(arrival);
    return { value, unit, inDoubt: await commit(session, arrived, witness) };
  } catch (error) {
    unit.rolledBack();
    session.command("ROLLBACK").catch(() => undefined);
    if (unit.failure === undefined) throw error;
    // Where the transaction's beginning failed, its other statements are refused, and that was before them.
    const failure = await begun.then(
      () => unit.failure,
      (first: unknown) => first,
    );
    throw faultOf(failure) === undefined ? error : failure;
  }
}

/**
 * @param arrived that the events are written, which was sent just before
 * @returns what is known when nobody answers @throws when it was not committed
 */
async function commit(
  session: Session,
  arrived: Promise<Answer> | undefined,
  witness: Witness,
): Promise<Tried<unknown>["inDoubt"]> {
  const [inserted, committed] = await Promise.allSettled([arrived, session.command("COMMIT")]);
  if (inserted.status === "rejected" && isRefusedCommit(inserted.reason)) throw inserted.reason;
  if (committed.status === "fulfilled") {
    requireCommit(committed.value);
    return undefined;
  }
  if (isRefusedCommit(committed.reason)) throw committed.reason;
  session.isBroken = true;
  return { witness, error: committed.reason };
}

/** After a statement that failed, COMMIT does not: it answers that it rolled back. */
function requireCommit({ command }: Answer): void {
  if (command !== "COMMIT") throw new Error(`COMMIT answered ${command}`);
}

/** A unit of work, and the events that it appends: they go out with its COMMIT, when it has all its locks. */
export class AppendingUnit extends PostgresUnit {
  readonly #drafted: DraftedEvent[];

  constructor({ name, now, keepAnswer, forgetAnswers }: TryOptions) {
    const drafted: DraftedEvent[] = [];
    super({ append: (draft) => void drafted.push(draftEvent(name, draft, now())), keepAnswer, forgetAnswers });
    this.#drafted = drafted;
  }

  get hasAppended(): boolean {
    return this.#drafted.length > 0;
  }

  /** The statement that writes its events, in their order. */
  arrival(): Query | undefined {
    const [first, ...others] = this.#drafted.map(({ event }) => event);
    if (first === undefined) return undefined;
    if (others.length === 0) return sql`INSERT INTO outbox_arrivals (event) VALUES (${first})`;
    return sql`INSERT INTO outbox_arrivals (event)
      SELECT event FROM json_array_elements_text(${JSON.stringify([first, ...others])}::json) WITH ORDINALITY AS arrived (event, n)
      ORDER BY n`;
  }

  override committed(): void {
    this.#published("ok");
    super.committed();
  }

  rolledBack(): void {
    this.#published("rolled-back");
  }

  #published(status: string): void {
    for (const { span } of this.#drafted) span?.end(status);
  }
}
