import type { Database } from "better-sqlite3";
import { activeSpan, beginSpan, codeOf, type Span } from "../../../base/span.ts";

/** The statements that one operation reads or writes together, as one span. */
export interface StatementGroup {
  /** Runs work whose statements belong to the group. */
  run<T>(work: () => T): T;
  /** @param error why the work failed, undefined if it did not */
  end(error?: unknown): void;
}

/** The statements that a span lists; a list of fifty products needs a hundred of the same kind. */
const MAX_STATEMENTS = 20;

/** The group that takes the statements of a span: a transaction's own, or what it reads in one go. */
const groups = new WeakMap<Span, OpenGroup>();

/**
 * Makes the statements of a database known to the span that runs them: SQL with its placeholders, never a value. What is
 * run without such a span costs one comparison more.
 * @param name the module's name
 * @param beforeRead called before each statement that reads
 */
export function traceStatements(database: Database, name: string, beforeRead: () => void): void {
  const prepare = database.prepare.bind(database) as (sql: string) => RunnableStatement;
  const traced = (sql: string): RunnableStatement => {
    const statement = prepare(sql);
    for (const method of ["run", "get", "all"] as const) {
      const original = statement[method];
      const reads = statement.readonly && method !== "run";
      statement[method] = (...params) => {
        noteStatement(name, sql);
        if (reads) beforeRead();
        return original.apply(statement, params);
      };
    }
    return statement;
  };
  database.prepare = traced as unknown as Database["prepare"];
}

/** The span of a transaction, for sampled work; undefined for all other. */
export function beginTransactionSpan(name: string): StatementGroup | undefined {
  const span = activeSpan();
  return span && openGroup(name, span);
}

type RunnableStatement = Record<"run" | "get" | "all", (...params: unknown[]) => unknown> & {
  readonly readonly: boolean;
};

/** Makes a statement known to the span that runs it. */
export function noteStatement(name: string, sql: string): void {
  const span = activeSpan();
  if (span === undefined) return;
  let group = groups.get(span);
  if (group === undefined) {
    group = openGroup(name, span);
    groups.set(span, group);
    const reading = group;
    queueMicrotask(() => {
      groups.delete(span);
      reading.end();
    });
  }
  group.add(sql);
}

function openGroup(name: string, cause: Span): OpenGroup {
  return new OpenGroup(beginSpan(cause.context, { kind: "store", name, service: name, peer: `${name}.db` }));
}

class OpenGroup implements StatementGroup {
  readonly #span: Span;
  readonly #statements = new Set<string>();

  constructor(span: Span) {
    this.#span = span;
    groups.set(span, this);
  }

  add(sql: string): void {
    if (this.#statements.size < MAX_STATEMENTS) this.#statements.add(sql.replace(/\s+/g, " "));
  }

  run<T>(work: () => T): T {
    return this.#span.run(work);
  }

  end(error?: unknown): void {
    const statements = [...this.#statements];
    this.#span.describe(nameOf(statements), { "db.query.text": statements });
    this.#span.end(error === undefined ? "ok" : codeOf(error));
  }
}

/** `SELECT users`, or `INSERT orders, outbox; UPDATE products`: what was written, or read where nothing was. */
function nameOf(statements: readonly string[]): string {
  const done = statements.map(verbAndTable);
  const writes = done.filter(({ verb }) => verb !== "SELECT");
  const byVerb = Map.groupBy(writes.length > 0 ? writes : done, ({ verb }) => verb);
  const parts = Array.from(
    byVerb,
    ([verb, all]) => `${verb} ${[...new Set(all.map(({ table }) => table))].join(", ")}`,
  );
  return parts.join("; ") || "nothing";
}

function verbAndTable(sql: string): { verb: string; table: string } {
  const [, first = "", table = ""] = /^(UPDATE|\w+\b.*? (?:FROM|INTO)) (\w+)/.exec(sql) ?? [];
  return { verb: first.split(" ", 1)[0] ?? "", table };
}
