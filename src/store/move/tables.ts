import type { Store } from "../store.ts";
import type { Mark } from "./mark.ts";

/** What a column holds of a row, the same in every engine: a module has texts and whole numbers. */
export type Cell = string | number | null;

/** A row, in the order of its table's columns. */
export type Cells = readonly Cell[];

/** A table, as an engine's own catalogue has it. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** The columns that tell a row from all others; none where nothing does. */
  readonly key: readonly string[];
}

/** A module's tables in one engine, which nobody serves meanwhile. */
export interface Tables extends Pick<Store, "read"> {
  /** The module's name. */
  readonly name: string;
  /** Where they are, in words. */
  readonly place: string;
  /** All of them, those that others refer to first. */
  readonly tables: readonly Table[];
  /**
   * Reads the rows of a table in the order of its key, text by its bytes, so many at a time that each time has as many, but the last.
   * @param after the key of the row before the first
   */
  rows(table: Table, after?: Cells): AsyncGenerator<readonly Cells[]>;
  close(): Promise<void>;
}

/** Where a module's tables are moved from. What is committed is left as it is. */
export interface Source extends Tables {
  /** See `Store.database`. */
  readonly database: string;
}

/** Where a module's tables are moved to: made, and of the newest schema. */
export interface Target extends Tables {
  mark(): Promise<Mark | undefined>;
  /** Has the mark on disk before any row. */
  begin(mark: Mark): Promise<void>;
  /** The greatest key of a table, undefined while it has no row. */
  lastKey(table: Table): Promise<Cells | undefined>;
  /** Writes rows in one transaction. */
  write(table: Table, rows: readonly Cells[]): Promise<void>;
  /** Deletes the rows of these tables. */
  clear(tables: readonly Table[]): Promise<void>;
  /** Makes what follows from the rows, such as the next number of a counter, takes the mark away, and has all of it on disk. */
  finish(): Promise<void>;
}
