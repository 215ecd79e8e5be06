import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

/** A table of a page: the comment that names what it is made by, and all up to the comment that ends it. */
const TABLE = /(<!-- bench( long)?: (?:node )?(.+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** A place of a page for what was measured. */
export interface Place {
  /** What makes it: a command, or the name of a table. */
  readonly by: string;
  /** Whether it is made only when asked for. */
  readonly isLong: boolean;
}

export function placesOf(page: URL): readonly Place[] {
  const found = readFileSync(page, "utf8").matchAll(TABLE);
  return Array.from(found, ([, , long, by = ""]) => ({ by, isLong: long !== undefined }));
}

/** The page with its tables as these say; those that nothing is said of stay. */
export function withTables(page: string, tables: ReadonlyMap<string, string>): string {
  return page.replaceAll(TABLE, (place, begin: string, _long, by: string, end: string) => {
    const text = tables.get(by);
    return text === undefined ? place : `${begin}\n${text}\n\n${end}`;
  });
}

export function writeTables(page: URL, tables: ReadonlyMap<string, string>): void {
  writeFileSync(page, withTables(readFileSync(page, "utf8"), tables));
}

/** When and where something is measured, in words. */
export function describeOccasion(): string {
  const date = new Date().toLocaleDateString("en-GB", { dateStyle: "long" });
  return `${date}, ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
}
