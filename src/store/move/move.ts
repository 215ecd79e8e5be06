import { reasonOf, StoreRefusal } from "../refusal.ts";
import type { Query } from "../sql.ts";
import type { Cell, Cells, Source, Table, Target } from "./tables.ts";

/** Columns that the target has and the source has not, by table and name: what each holds follows from the row. */
export type MadeAnew = Readonly<
  Record<string, Readonly<Record<string, (row: Readonly<Record<string, Cell>>) => Cell>>>
>;

/** What PostgreSQL keeps of a module beside what SQLite does: it follows from that. */
export interface InPostgres {
  readonly columns: MadeAnew;
  /** Statements that fill tables from others, any number of times. */
  readonly fills: readonly Query[];
}

export interface MoveOptions {
  readonly source: Source;
  readonly target: Target;
  readonly madeAnew: MadeAnew;
}

/** How a move stands: just begun, going on, or done before. */
export type Standing = "new" | "half" | "whole";

/**
 * Looks whether a target can be moved to, and marks it as the source's half.
 * @throws StoreRefusal when it has rows of its own, or is the half of another shop's
 */
export async function beginMove({ source, target }: MoveOptions): Promise<Standing> {
  const mark = await target.mark();
  if (mark !== undefined) {
    if (mark.database === source.database) return "half";
    throw new StoreRefusal(`${target.name}: ${target.place} is the half of another shop's move, from ${mark.source}`);
  }
  const filled = await firstFilled(target, sharedTables(source, target));
  if (filled === undefined) {
    await target.begin({ database: source.database, source: source.place });
    return "new";
  }
  if ((await firstDifference({ source, target })) === undefined) return "whole";
  throw new StoreRefusal(`${target.name}: ${target.place} is not empty: ${filled} has rows. Nothing was changed.`);
}

/**
 * Copies all that the target has not yet, and compares row by row.
 * @param standing of `beginMove`; a source that has been served since its half was moved is moved anew
 * @param tell given a line for each table
 * @throws StoreRefusal when they are not equal in the end
 */
export function moveRows(options: MoveOptions, standing: Standing, tell: (line: string) => void): Promise<void> {
  return toldWhenCut(options.target, () => copyAndCompare(options, standing, tell));
}

/**
 * Ends the move of a module whose rows have been moved.
 * @throws StoreRefusal when it is cut short
 */
export async function finishMove({ target }: MoveOptions, standing: Standing): Promise<void> {
  if (standing !== "whole") await toldWhenCut(target, () => target.finish());
}

async function copyAndCompare(options: MoveOptions, standing: Standing, tell: (line: string) => void): Promise<void> {
  const { source, target } = options;
  if (standing === "whole") return tell(`${source.name}: was moved before, and is equal`);
  const stale = standing === "half" ? await firstDifference(options, standing) : undefined;
  if (stale !== undefined) {
    tell(`${source.name}: the source has changed since this move began, at ${stale}: it begins anew`);
    await target.clear(sharedTables(source, target));
  }
  await copyAll(options, tell);
  const difference = await firstDifference(options);
  if (difference === undefined) return;
  throw new StoreRefusal(`${source.name}: what was moved to ${target.place} is not the same: ${difference}`);
}

/** Either side may go away, or its disk be full. */
async function toldWhenCut({ name, place }: Target, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof StoreRefusal) throw error;
    const told = `${name}: the move to ${place} was cut short: ${reasonOf(error)}. Run it again: it goes on from there.`;
    throw new StoreRefusal(told, { cause: error });
  }
}

/**
 * What both have, those that others refer to first, by a key that both have.
 * @throws Error when there is none of a table
 */
export function sharedTables(source: Pick<Source, "tables">, target: Pick<Target, "tables">): Table[] {
  return target.tables.flatMap(({ name, columns: own, key }) => {
    const other = source.tables.find((table) => table.name === name);
    if (other === undefined) return [];
    const columns = own.filter((column) => other.columns.includes(column));
    const shared = [key, other.key].find((key) => key.length > 0 && key.every((column) => columns.includes(column)));
    if (shared === undefined) throw new Error(`${name} has no key in both engines`);
    return [{ name, columns, key: shared }];
  });
}

async function firstFilled(target: Target, tables: readonly Table[]): Promise<string | undefined> {
  for (const table of tables) if ((await target.lastKey(table)) !== undefined) return table.name;
  return undefined;
}

async function copyAll({ source, target, madeAnew }: MoveOptions, tell: (line: string) => void): Promise<void> {
  for (const table of sharedTables(source, target)) {
    const made = Object.entries(madeAnew[table.name] ?? {}).filter(([column]) => !table.columns.includes(column));
    const known = target.tables.find(({ name }) => name === table.name)?.columns ?? [];
    const added = made.filter(([column]) => known.includes(column));
    const into = { ...table, columns: [...table.columns, ...added.map(([column]) => column)] };
    let count = 0;
    for await (const rows of source.rows(table, await target.lastKey(table))) {
      await target.write(into, added.length === 0 ? rows : rows.map((row) => withMade(table, row, added)));
      count += rows.length;
    }
    if (count > 0) tell(`${source.name}: ${table.name}, ${count} rows`);
  }
}

function withMade(table: Table, row: Cells, added: readonly [string, (row: Record<string, Cell>) => Cell][]): Cells {
  const named = Object.fromEntries(table.columns.map((column, at) => [column, row[at] ?? null]));
  return [...row, ...added.map(([, make]) => make(named))];
}

/** Where a target is not as its source, in words; as far as it goes, where it is a half. */
async function firstDifference(
  { source, target }: Pick<MoveOptions, "source" | "target">,
  standing: Standing = "whole",
): Promise<string | undefined> {
  for (const table of sharedTables(source, target)) {
    const key = await differenceOf(table, source, target, standing);
    if (key !== undefined) return `${table.name} ${key}`;
  }
  return undefined;
}

async function differenceOf(
  table: Table,
  source: Source,
  target: Target,
  standing: Standing,
): Promise<string | undefined> {
  await using there = source.rows(table);
  await using here = target.rows(table);
  for (;;) {
    const [{ value: theirs = [] }, { value: ours = [] }] = await Promise.all([there.next(), here.next()]);
    const count = standing === "half" ? ours.length : Math.max(theirs.length, ours.length);
    if (count === 0) return undefined;
    for (let at = 0; at < count; at += 1) {
      if (!isSame(theirs[at], ours[at])) return keyOf(table, theirs[at] ?? ours[at] ?? []);
    }
  }
}

function isSame(one: Cells | undefined, other: Cells | undefined): boolean {
  return one !== undefined && other !== undefined && one.every((cell, index) => cell === other[index]);
}

/** A row's key, in words. */
function keyOf({ columns, key }: Table, row: Cells): string {
  return key.map((column) => row[columns.indexOf(column)]).join(" ");
}
