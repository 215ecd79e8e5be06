import type { Database, Statement } from "better-sqlite3";
import { Query, type Value } from "../../sql.ts";
import { noteStatement } from "./statement-spans.ts";

type Prepared = Statement<[readonly Value[]], unknown>;

interface Known {
  readonly text: string;
  readonly statement: Prepared;
  /** What is put in: parts by their places, and undefined for values; undefined where there are values alone. */
  readonly parts: readonly (Query | undefined)[] | undefined;
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
  /** Those whose parts are the same each time, and have no values of their own. */
  readonly #byTemplate = new WeakMap<readonly string[], Known>();
  readonly #byText = new Map<string, Known>();

  constructor(options: StatementsOptions) {
    this.#options = options;
  }

  /** The first row. @throws SqliteError; Error when it would write, and may not */
  get<Row>(query: Query<Row>, mayWrite = true): Row | undefined {
    const known = this.#find(query);
    return this.#ready(known, mayWrite).get(valuesOf(query, known)) as Row | undefined;
  }

  /** All rows. @throws SqliteError; Error when it would write, and may not */
  all<Row>(query: Query<Row>, mayWrite = true): Row[] {
    const known = this.#find(query);
    return this.#ready(known, mayWrite).all(valuesOf(query, known)) as Row[];
  }

  /** @returns how many rows it changed @throws SqliteError */
  run(query: Query): number {
    const known = this.#find(query);
    return this.#ready(known, true).run(valuesOf(query, known)).changes;
  }

  #ready({ statement, text }: Known, mayWrite: boolean): Prepared {
    if (statement.readonly) this.#options.beforeRead();
    else if (!mayWrite) throw new Error("only a unit of work can write");
    noteStatement(this.#options.name, text);
    return statement;
  }

  #find(query: Query): Known {
    const known = this.#byTemplate.get(query.strings);
    return known !== undefined && hasParts(query, known.parts) ? known : this.#prepare(query);
  }

  #prepare(query: Query): Known {
    const parts = query.values.map((value) => (value instanceof Query ? value : undefined));
    const text = toText(query);
    const statement =
      this.#byText.get(text)?.statement ?? this.#options.database.prepare<[readonly Value[]], unknown>(text);
    const known = { text, statement, parts: parts.some((part) => part !== undefined) ? parts : undefined };
    this.#byText.set(text, known);
    if (parts.every((part) => part === undefined || part.values.length === 0)) {
      this.#byTemplate.set(query.strings, known);
    }
    return known;
  }
}

function hasParts({ values }: Query, parts: Known["parts"]): boolean {
  return parts === undefined || parts.every((part, index) => part === undefined || part === values[index]);
}

function valuesOf({ values }: Query, { parts }: Pick<Known, "parts">): readonly Value[] {
  return parts === undefined ? (values as readonly Value[]) : flatten(values);
}

function flatten(values: Query["values"], into: Value[] = []): Value[] {
  for (const value of values) {
    if (value instanceof Query) flatten(value.values, into);
    else into.push(value);
  }
  return into;
}

/** The statement as SQLite writes it, a question mark for each value. */
function toText({ strings, values }: Query): string {
  return strings.reduce((text, string, index) => {
    const value = values[index - 1];
    return `${text}${value instanceof Query ? toText(value) : "?"}${string}`;
  });
}
