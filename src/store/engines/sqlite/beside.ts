import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/**
 * A file that says something of a database. It is beside the database itself: who comes by a link finds the same one, also when the
 * database is yet to be made.
 */
export function besideDatabase(file: string, what: string): string {
  const real = realFile(file);
  return join(dirname(real), `.${basename(real)}-${what}`);
}

function realFile(file: string): string {
  if (existsSync(file)) return realpathSync(file);
  const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? resolve(dirname(file), readlinkSync(file)) : file;
}
