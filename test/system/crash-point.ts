import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import Database, { type Statement } from "better-sqlite3";

/**
 * Loaded before the product with `--import`: once the file of `CRASH_FILE` is there, counts the moments at which this
 * process changes a database, and kills it at the one whose number the file holds. A moment is before each statement
 * that may change something, BEGIN and COMMIT included, and after each COMMIT. The product's code is untouched.
 */
const file = process.env.CRASH_FILE ?? "";
let left: number | undefined;

function moment(what: string): void {
  if (left === undefined && existsSync(file)) left = Number(readFileSync(file, "utf8"));
  if (left === undefined) return;
  left -= 1;
  if (left > 0) return;
  const told = openSync(`${file}.crashed`, "w");
  writeSync(told, what);
  closeSync(told);
  process.kill(process.pid, "SIGKILL");
}

const statements: Statement = Object.getPrototypeOf(new Database(":memory:").prepare("SELECT 1"));
const { run, get } = statements;

statements.run = function (this: Statement, ...params) {
  moment(`before ${this.source}`);
  const result = run.apply(this, params);
  if (this.source === "COMMIT") moment("after COMMIT");
  return result;
};

statements.get = function (this: Statement, ...params) {
  if (!this.readonly) moment(`before ${this.source}`);
  return get.apply(this, params);
};
