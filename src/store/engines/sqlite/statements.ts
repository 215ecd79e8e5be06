import type { Database, Statement } from "better-sqlite3";
import { Query, type Value } from "../../sql.ts";

/** A prepared statement and what it is given. */
export interface Prepared {
  readonly statement: Statement<Value[], unknown>;
  readonly values: readonly Value[];
}

/** What is known of a template: its statement holds as long as the same parts are put into it. */
interface Known {
  readonly statement: Statement<Value[], unknown>;
  readonly parts: readonly (Query | undefined)[];
  readonly hasParts: boolean;
}

/** The prepared statements of a connection, each prepared at its first use. */
export class Statements {
  readonly #database: Database;
  readonly #byTemplate = new WeakMap<readonly string[], Known>();
  readonly #byText = new Map<string, Statement<Value[], unknown>>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** @throws SqliteError when SQLite does not understand it */
  of(query: Query): Prepared {
    const known = this.#byTemplate.get(query.strings);
    if (known !== undefined) {
      if (!known.hasParts) return { statement: known.statement, values: query.values as readonly Value[] };
      if (known.parts.every((part, index) => part === undefined || part === query.values[index])) {
        return { statement: known.statement, values: query.values.filter(isValue) };
      }
    }
    return this.#look(query);
  }

  #look(query: Query): Prepared {
    const { text, values } = toText(query);
    const statement = this.#byText.get(text) ?? this.#database.prepare<Value[], unknown>(text);
    this.#byText.set(text, statement);
    const parts = query.values.map((value) => (value instanceof Query ? value : undefined));
    // A part that has values of its own is another one each time.
    if (parts.every((part) => part === undefined || toText(part).values.length === 0)) {
      const hasParts = parts.some((part) => part !== undefined);
      this.#byTemplate.set(query.strings, { statement, parts, hasParts });
    }
    return { statement, values };
  }
}

/** The statement as SQLite writes it, a question mark for each value. */
export function toText(query: Query): { text: string; values: Value[] } {
  let text = query.strings[0] ?? "";
  const values: Value[] = [];
  for (const [index, value] of query.values.entries()) {
    if (isValue(value)) {
      text += "?";
      values.push(value);
    } else {
      const part = toText(value);
      text += part.text;
      values.push(...part.values);
    }
    text += query.strings[index + 1] ?? "";
  }
  return { text, values };
}

function isValue(value: Value | Query): value is Value {
  return !(value instanceof Query);
}
