import { writeFileSync } from "node:fs";
import Database, { type Statement } from "better-sqlite3";
import { Client } from "pg";

/**
 * Loaded before the product with `--import`: counts the moments at which this process changes a database, one before each statement that
 * may, COMMIT included, and kills it at the one whose number is `KILL_AT`. At its end it leaves how many there were in `MOMENTS_FILE`.
 */
const killAt = Number(process.env.KILL_AT ?? 0);
const READS = /^\s*(BEGIN|SELECT|DECLARE|FETCH|CLOSE|ROLLBACK|PRAGMA)/i;
let moments = 0;

function moment(text: string): void {
  if (READS.test(text)) return;
  moments += 1;
  if (moments === killAt) process.kill(process.pid, "SIGKILL");
}

const statements: Statement = Object.getPrototypeOf(new Database(":memory:").prepare("SELECT 1"));
const { run } = statements;
statements.run = function (this: Statement, ...params) {
  moment(this.source);
  return run.apply(this, params);
};

const { exec } = Database.prototype;
Database.prototype.exec = function (this: Database.Database, text) {
  moment(text);
  return exec.call(this, text);
};

const query = Client.prototype.query as (this: Client, ...args: unknown[]) => unknown;
Object.assign(Client.prototype, {
  query(this: Client, ...args: [string | { text: string }, ...unknown[]]) {
    const [asked] = args;
    moment(typeof asked === "string" ? asked : asked.text);
    return query.apply(this, args);
  },
});

process.once("exit", () => {
  if (process.env.MOMENTS_FILE !== undefined) writeFileSync(process.env.MOMENTS_FILE, String(moments));
});
