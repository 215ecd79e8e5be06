import { readdirSync, readFileSync } from "node:fs";

export interface Migration {
  readonly name: string;
  /** The version of a schema to which it has been applied. */
  readonly version: number;
  /**
   * The oldest code that may use such a schema: that which knows this version. Its file says so where that is older than itself,
   * `-- Oldest code: NNNN`: it has only added what older code can pass over.
   */
  readonly oldestCode: number;
  readonly sql: string;
}

/** The numbered files of the store and of a module, each list in order. */
export interface Schema {
  readonly store: readonly Migration[];
  readonly module: readonly Migration[];
}

/**
 * Reads `NNNN-*.sql` files, numbered without gaps. The first may have any number: it makes what all up to it make elsewhere, where an
 * engine came later and has no databases that are older.
 * @throws Error when the numbers have gaps, or a file says what cannot be of its oldest code
 */
export function readMigrations(folder: URL): Migration[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  const first = numberOf(names[0] ?? "");
  return names.map((name, index) => {
    if (numberOf(name) !== first + index) throw new Error(`migration ${name} is out of sequence`);
    const sql = readFileSync(new URL(name, withSlash(folder)), "utf8");
    return { name, version: first + index, oldestCode: oldestCodeOf(name, sql), sql };
  });
}

function oldestCodeOf(name: string, sql: string): number {
  const [, told] = /^-- Oldest code: *(.*)$/m.exec(sql) ?? [];
  if (told === undefined) return numberOf(name);
  if (/^\d{4}$/.test(told) && Number(told) <= numberOf(name)) return Number(told);
  throw new Error(`migration ${name} says \`Oldest code: ${told}\`: expected four digits, no more than its own`);
}

function numberOf(name: string): number {
  return Number(/^(\d{4})-/.exec(name)?.[1]);
}

/** A folder's URL against which names resolve. */
function withSlash(folder: URL): URL {
  return folder.href.endsWith("/") ? folder : new URL(`${folder.href}/`);
}
