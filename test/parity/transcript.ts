import { AssertionError } from "chai";
import type { Answer, Request } from "../support/api.ts";
import type { Row, Tables } from "../support/databases.ts";
import { Canonical } from "./canonical.ts";

/** Headers that belong to the connection, not to the answer. */
const UNCOMPARED = new Set(["date", "connection", "keep-alive", "content-length"]);

/** Lines shown before and after a difference. */
const DIFF_CONTEXT = 3;

/** One thing that happened, ready to be compared. */
export interface Entry {
  /** Which scenario, and what in it. */
  readonly title: string;
  readonly text: string;
}

/** All that a client and an operator can see of a run, in canonical form. */
export class Transcript {
  readonly entries: Entry[];
  readonly #canonical: Canonical;

  constructor(entries: Entry[] = [], canonical = new Canonical()) {
    this.entries = entries;
    this.#canonical = canonical;
  }

  /** Another that goes on from here. */
  fork(): Transcript {
    return new Transcript([...this.entries], this.#canonical.copy());
  }

  /** Adds what was asked and what was answered. */
  call(scenario: string, { method, path, ...request }: Request, answer: Answer): void {
    const headers = Object.entries(answer.headers).filter(([name]) => !UNCOMPARED.has(name));
    const seen = { ...answer, headers: Object.fromEntries(headers.sort()) };
    this.add(`${scenario}: ${method} ${path}`, { method, path, ...request, answer: withoutClock(seen) });
  }

  /**
   * Adds the logs of all publishers and all other rows of all modules, so that a difference shows a single row.
   * @param named the tables whose rows are in the order of the names that they have got by now
   */
  state(scenario: string, state: Readonly<Record<string, Tables>>, named: ReadonlySet<string> = new Set()): void {
    for (const [module, tables] of Object.entries(state)) {
      for (const [table, rows] of Object.entries(tables)) {
        const told = named.has(table) ? this.#inOrderOfNames(rows) : rows.map(parsed);
        for (const [index, row] of told.entries()) this.add(`${scenario}: ${module}.${table} row ${index + 1}`, row);
        this.add(`${scenario}: ${module}.${table}`, { rows: rows.length });
      }
    }
  }

  #inOrderOfNames(rows: readonly Row[]): unknown[] {
    const texts = rows.map((row) => JSON.stringify(this.#canonical.of(parsed(row))));
    return texts.sort().map((text) => JSON.parse(text));
  }

  add(title: string, value: unknown): void {
    const canonicalTitle = String(this.#canonical.of(title));
    this.entries.push({ title: canonicalTitle, text: JSON.stringify(this.#canonical.of(value), null, 1) });
  }
}

/**
 * Compares two runs.
 * @throws AssertionError that says how many entries differ, and in which lines the first of them does
 */
export function assertSame(name: string, actual: readonly Entry[], expected: readonly Entry[]): void {
  const length = Math.max(actual.length, expected.length);
  const show = (entry: Entry | undefined) => (entry === undefined ? "nothing" : `${entry.title}\n${entry.text}`);
  const different = Array.from({ length }, (_, at) => at).filter((at) => show(actual[at]) !== show(expected[at]));
  const [first] = different;
  if (first === undefined) return;
  throw new AssertionError(
    `${name} differs from one process in ${different.length} of ${length} entries, first in\n` +
      `${expected[first]?.title ?? actual[first]?.title}\n${diff(show(expected[first]), show(actual[first]))}`,
  );
}

/** What is between the lines that two texts begin with and those that they end with, and a few of these. */
function diff(expected: string, actual: string): string {
  const [wanted, found] = [expected.split("\n"), actual.split("\n")];
  const shorter = Math.min(wanted.length, found.length);
  let before = 0;
  while (before < shorter && wanted[before] === found[before]) before++;
  let after = 0;
  while (after < shorter - before && wanted.at(-1 - after) === found.at(-1 - after)) after++;
  const between = (lines: readonly string[], sign: string) =>
    lines.slice(before, lines.length - after).map((line) => `${sign} ${line}`);
  return [
    ...wanted.slice(Math.max(0, before - DIFF_CONTEXT), before).map((line) => `  ${line}`),
    ...between(wanted, "-"),
    ...between(found, "+"),
    ...wanted
      .slice(wanted.length - after)
      .slice(0, DIFF_CONTEXT)
      .map((line) => `  ${line}`),
  ].join("\n");
}

/** Leaves out what depends on the second in which it was asked: when a rate limit's window ends. */
function withoutClock({ status, headers, body }: Answer): Answer {
  const { ratelimit, "x-ratelimit-reset": reset, ...rest } = headers;
  const limits = {
    ...(ratelimit === undefined ? {} : { ratelimit: ratelimit.replace(/t=\d+/, "t=<seconds>") }),
    ...(reset === undefined ? {} : { "x-ratelimit-reset": reset.replace(/^\d{10}$/, "<second>") }),
  };
  if (status !== 429) return { status, headers: { ...rest, ...limits }, body };
  const { detail, ...problem } = body as { detail: string };
  return {
    status,
    headers: { ...rest, ...limits, "retry-after": (rest["retry-after"] ?? "none").replace(/^\d+$/, "<seconds>") },
    body: { ...problem, detail: detail.replace(/again in \d+ seconds?/, "again in <seconds>") },
  };
}

/** JSON in a column is looked into; of bytes, which nobody sees, only their number counts. */
function parsed(row: Row): Row {
  const entries = Object.entries(row).map(([name, value]) => {
    if (value instanceof Uint8Array) return [name, `<${value.length} bytes>`];
    const isJson = typeof value === "string" && /^[{[]/.test(value);
    return [name, isJson ? JSON.parse(value) : value];
  });
  return Object.fromEntries(entries);
}
