import { existsSync, readFileSync, rmSync } from "node:fs";
import Database, { type Statement } from "better-sqlite3";

/**
 * Loaded before the product with `--import`: while the file of `STOP_FILE` is there, this process stops itself before the COMMIT
 * of a statement that begins as the file says, once, as if the disk hung there. The product's code is untouched.
 */
const file = process.env.STOP_FILE ?? "";
const statements: Statement = Object.getPrototypeOf(new Database(":memory:").prepare("SELECT 1"));
const { run } = statements;

let isSeen = false;

statements.run = function (this: Statement, ...params) {
  if (existsSync(file) && this.source.startsWith(readFileSync(file, "utf8"))) isSeen = true;
  if (this.source === "COMMIT" && isSeen) {
    isSeen = false;
    rmSync(file);
    process.kill(process.pid, "SIGSTOP");
  }
  return run.apply(this, params);
};
