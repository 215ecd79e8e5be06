/** What a statement may be given. */
export type Value = string | number | bigint | null | Uint8Array;

/** A statement and its values, or a part of one, written once for whichever engine runs it. */
export class Query<out Row = unknown> {
  /** The text around the values; the same array each time that the same template is evaluated. */
  readonly strings: readonly string[];
  readonly values: readonly (Value | Query)[];
  /** What PostgreSQL is given in its place, where that does not speak alike. */
  readonly postgres: Query<Row> | undefined;
  /** Tells the compiler what its rows are like. */
  declare protected readonly row: Row;

  constructor(strings: readonly string[], values: readonly (Value | Query)[], postgres?: Query<Row>) {
    this.strings = strings;
    this.values = values;
    this.postgres = postgres;
  }
}

/**
 * Writes a statement: `` sql<User>`SELECT ${COLUMNS} FROM users WHERE id = ${id}` ``. What is put in is a value, never text of the
 * statement, unless it is a query itself: then it becomes a part of this one.
 * @typeParam Row what a row of its answer is like
 */
export function sql<Row = unknown>(strings: TemplateStringsArray, ...values: readonly (Value | Query)[]): Query<Row> {
  return new Query<Row>(strings, values);
}

/** The same statement, or part of one, as each engine writes it: only where one text cannot serve both. */
export function dialects<Row>({ sqlite, postgres }: Readonly<Record<"sqlite" | "postgres", Query<Row>>>): Query<Row> {
  return new Query<Row>(sqlite.strings, sqlite.values, postgres);
}

/** Puts parts one after the other, with the text of `separator` in between. */
export function joinSql(parts: readonly Query[], separator: string): Query {
  const inner = Array.from({ length: Math.max(0, parts.length - 1) }, () => separator);
  return new Query(parts.length === 0 ? [""] : ["", ...inner, ""], parts);
}
