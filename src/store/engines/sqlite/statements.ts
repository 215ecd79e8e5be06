import type { Database, Statement } from "better-sqlite3";
import { Query, type Value } from "../../sql.ts";
import { noteStatement } from "./statement-spans.ts";

type Prepared = Statement<[readonly Value[]], unknown>;

/** What is known of a template: its statement holds as long as the same parts are put into it. */
interface Known {
  readonly text: string;
  readonly statement: Prepared;
  /** The parts by their places among what is put in, undefined where there are none. */
  readonly parts: readonly (Query | undefined)[] | undefined;
}

export interface StatementsOptions {
  /** Prepares statements that nobody else watches. */
  readonly prepare: Database["prepare"];
  /** The module's name, for spans. */
  readonly name: string;
  /** Called before each statement that only reads. */
  readonly beforeRead: () => void;
}

/** Runs the statements of a connection, each prepared at its first use. Each is made known to the span that runs it. */
export class Statements {
  readonly #options: StatementsOptions;
  readonly #byTemplate = new WeakMap<readonly string[], Known>();
  readonly #byText = new Map<string, Known>();
  /** The values of the statement that was looked up last. */
  #values: readonly Value[] = [];

  constructor(options: StatementsOptions) {
    this.#options = options;
  }

  /** @throws SqliteError */
  get(query: Query, mayWrite: boolean): unknown {
    return this.#look(query, mayWrite).get(this.#values);
  }

  /** @throws SqliteError */
  all(query: Query, mayWrite: boolean): unknown[] {
    return this.#look(query, mayWrite).all(this.#values);
  }

  /** @returns how many rows it changed @throws SqliteError */
  run(query: Query): number {
    return this.#look(query, true).run(this.#values).changes;
  }

  #look(query: Query, mayWrite: boolean): Prepared {
    const { statement, text } = this.#find(query);
    if (statement.readonly) this.#options.beforeRead();
    else if (!mayWrite) throw new Error("only a unit of work can write");
    noteStatement(this.#options.name, text);
    return statement;
  }

  #find(query: Query): Known {
    const known = this.#byTemplate.get(query.strings);
    if (known === undefined) return this.#prepare(query);
    if (known.parts === undefined) {
      this.#values = query.values as readonly Value[];
      return known;
    }
    const values: Value[] = [];
    for (let index = 0; index < query.values.length; index++) {
      const value = query.values[index] as Value | Query;
      const part = known.parts[index];
      if (part === undefined) values.push(value as Value);
      else if (part !== value) return this.#prepare(query);
    }
    this.#values = values;
    return known;
  }

  #prepare(query: Query): Known {
    const { text, values } = toText(query);
    this.#values = values;
    const parts = query.values.map((value) => (value instanceof Query ? value : undefined));
    const kept = this.#byText.get(text);
    const statement = kept?.statement ?? this.#options.prepare<[readonly Value[]], unknown>(text);
    const known = { text, statement, parts: parts.some((part) => part !== undefined) ? parts : undefined };
    this.#byText.set(text, known);
    // A part that has values of its own is another one each time.
    if (parts.every((part) => part === undefined || toText(part).values.length === 0)) {
      this.#byTemplate.set(query.strings, known);
    }
    return known;
  }
}

/** The statement as SQLite writes it, a question mark for each value. */
export function toText(query: Query): { text: string; values: Value[] } {
  let text = query.strings[0] ?? "";
  const values: Value[] = [];
  for (const [index, value] of query.values.entries()) {
    if (value instanceof Query) {
      const part = toText(value);
      text += part.text;
      values.push(...part.values);
    } else {
      text += "?";
      values.push(value);
    }
    text += query.strings[index + 1] ?? "";
  }
  return { text, values };
}
