import type { Database, Statement } from "better-sqlite3";
import { Rendered } from "../../rendered.ts";
import type { Query, Value } from "../../sql.ts";
import { noteStatement } from "../../statement-spans.ts";

interface Prepared {
  readonly text: string;
  readonly statement: Statement<[readonly Value[]], unknown>;
}

export interface StatementsOptions {
  readonly database: Database;
  /** The module's name, for spans. */
  readonly name: string;
  /** Called before each statement that only reads. */
  readonly beforeRead: () => void;
}

/** Runs the statements of a connection, each prepared at its first use. Each is made known to the span that runs it. */
export class Statements {
  readonly #options: StatementsOptions;
  readonly #rendered: Rendered<Prepared>;

  constructor(options: StatementsOptions) {
    const { database } = options;
    this.#options = options;
    this.#rendered = new Rendered({
      speak: (query) => query,
      placeholder: () => "?",
      prepare: (text) => ({ text, statement: database.prepare<[readonly Value[]], unknown>(text) }),
    });
  }

  /** The first row. @throws SqliteError; Error when it would write, and may not */
  get<Row>(query: Query<Row>, mayWrite = true): Row | undefined {
    const known = this.#rendered.find(query);
    return this.#ready(known.prepared, mayWrite).get(this.#rendered.valuesOf(query, known)) as Row | undefined;
  }

  /** All rows. @throws SqliteError; Error when it would write, and may not */
  all<Row>(query: Query<Row>, mayWrite = true): Row[] {
    const known = this.#rendered.find(query);
    return this.#ready(known.prepared, mayWrite).all(this.#rendered.valuesOf(query, known)) as Row[];
  }

  /** @returns how many rows it changed @throws SqliteError */
  run(query: Query): number {
    const known = this.#rendered.find(query);
    return this.#ready(known.prepared, true).run(this.#rendered.valuesOf(query, known)).changes;
  }

  #ready({ statement, text }: Prepared, mayWrite: boolean): Prepared["statement"] {
    if (statement.readonly) this.#options.beforeRead();
    else if (!mayWrite) throw new Error("only a unit of work can write");
    noteStatement(this.#options.name, text);
    return statement;
  }
}
