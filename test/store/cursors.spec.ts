import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect } from "chai";
import { z } from "zod";
import { type TemporaryStore, temporaryStore } from "./temporary-store.ts";

const FIRST_SCHEMA = new URL("../../src/store/engines/sqlite/migrations/0001-log-cursors-answers.sql", import.meta.url);
const uuidv7 = z.uuidv7();

describe("cursors of older databases", () => {
  let temporary: TemporaryStore;

  beforeEach(() => {
    temporary = temporaryStore();
  });
  afterEach(() => temporary.dispose());

  it("give dead letters of the first schema an id in the order of time", async () => {
    await temporary.open().close();
    const database = new Database(temporary.file);
    const create = /CREATE TABLE dead_letters[^;]+;/.exec(readFileSync(FIRST_SCHEMA, "utf8"))?.[0];
    database.exec(`DROP TABLE publisher_databases; DROP TABLE identity; DROP TABLE prune_window; DROP INDEX answers_by_person;
      ALTER TABLE answers DROP COLUMN person; DROP TABLE dead_letters; ${create}`);
    const insert = database.prepare("INSERT INTO dead_letters VALUES (?, 'orders', 'e1', ?, '{}', 'no', 5, ?)");
    for (const seq of [1, 2, 3]) insert.run(seq, seq, new Date(Date.UTC(2025, 0, seq)).toISOString());
    database.pragma("user_version = 1001");
    database.close();
    const letters = await temporary.open().cursors.deadLetters();
    expect(letters.map(({ position }) => position.seq)).to.deep.equal([3, 2, 1]);
    expect(letters.every(({ id }) => uuidv7.safeParse(id).success)).to.equal(true);
    expect(letters.map(({ failedAt }) => failedAt)).to.include("2025-01-02T00:00:00.000Z");
  });
});
