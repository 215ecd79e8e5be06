import { activeSpan, beginSpan, codeOf, type Span } from "../base/span.ts";

/** The statements that one operation reads or writes together, as one span. */
export interface StatementGroup {
  /** Runs work whose statements belong to the group. */
  run<T>(work: () => T): T;
  /** Makes a statement known that was not run in it. */
  add(sql: string): void;
  /** @param error why the work failed, undefined if it did not */
  end(error?: unknown): void;
}

/** The statements that a span lists; a list of fifty products needs a hundred of the same kind. */
const MAX_STATEMENTS = 20;

/** The group that takes the statements of a span: a transaction's own, or what it reads in one go. */
const groups = new WeakMap<Span, OpenGroup>();

/** The span of a transaction, for sampled work; undefined for all other. */
export function beginTransactionSpan(name: string): StatementGroup | undefined {
  const span = activeSpan();
  return span && openGroup(name, span);
}

/**
 * Makes a statement known to the span that runs it: SQL with its placeholders, never a value. What is run without such a span costs
 * one comparison.
 * @param name the module's name
 */
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
