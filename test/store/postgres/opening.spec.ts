import { randomUUID } from "node:crypto";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect } from "chai";
import { Client } from "pg";
import { StoreRefusal } from "../../../src/store/refusal.ts";
import { describeOpening } from "../../../src/store/schema-state.ts";
import { sql } from "../../../src/store/sql.ts";
import { until } from "../../support/process.ts";
import { addNote } from "../temporary-store.ts";
import { POSTGRES_NOTES, temporaryPostgres } from "./temporary-postgres.ts";

describe("opening a store in PostgreSQL", () => {
  const postgres = temporaryPostgres();
  let folder: string;
  let migrations: URL;

  beforeEach(async () => {
    postgres.begin();
    folder = await mkdtemp(join(tmpdir(), "quartet-migrations-"));
    await cp(fileURLToPath(POSTGRES_NOTES), folder, { recursive: true });
    migrations = pathToFileURL(folder);
  });
  afterEach(async () => {
    await postgres.end();
    await rm(folder, { recursive: true });
  });

  const refusalOf = async (opening: Promise<unknown>) => {
    const error = await opening.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(StoreRefusal);
    expect((error as Error).message).to.match(/^notes: postgres:\/\/127\.0\.0\.1:\d+\//);
    return (error as Error).message;
  };

  /** Opens it once more, and tells what that came to. */
  const opening = async (options?: Parameters<typeof postgres.open>[0]) => {
    let told = "";
    await postgres.open({
      ...options,
      onOpened: (opened) => {
        told = describeOpening(opened).replace(/^\w+ .*, schema \w+, /, "");
      },
    });
    return told;
  };

  const lastQueryOf = async (application: string) => {
    const [found] = await postgres.server.query<{ query: string }>(
      "SELECT query FROM pg_stat_activity WHERE application_name = $1",
      [application],
    );
    return found?.query ?? "";
  };

  /** A role that has the setting which a pooler would lose. */
  const urlOfRoleWith = async (role: string, schema: string) => {
    await postgres.server.query(
      `CREATE ROLE ${role} LOGIN SUPERUSER; ALTER ROLE ${role} SET search_path = "${schema}"`,
    );
    const url = new URL(postgres.server.url);
    url.username = role;
    return url.href;
  };

  /** How many wait for their lock of a table. */
  const waitingFor = async (table: string) => {
    const [found] = await postgres.server.query<{ count: string }>(
      "SELECT count(*) FROM pg_locks WHERE relation = to_regclass($1) AND NOT granted",
      [`${postgres.schema}.${table}`],
    );
    return Number(found?.count);
  };

  it("makes the schema once, whoever else begins at the same time, and finds what was written before", async () => {
    const told: (string | undefined)[] = [];
    const opened = await Promise.all(
      [1, 2, 3, 4].map(() => postgres.open({ onOpened: ({ from }) => told.push(from) })),
    );
    expect(told).to.have.members([undefined, "6.1", "6.1", "6.1"]);
    expect(new Set(opened.map(({ database }) => database)).size).to.equal(1);
    expect(new Set(opened.map(({ seat }) => seat)).size).to.equal(1);
    await opened[0]?.write(addNote("a"));
    await postgres.end();
    const again = await postgres.open();
    expect(await again.read((reading) => reading.get(sql<{ id: string }>`SELECT id FROM notes`))).to.deep.equal({
      id: "a",
    });
  });

  it("applies only the migrations that are missing, all or none", async () => {
    await postgres.open();
    await postgres.end();
    await writeFile(
      join(folder, "0002-more.sql"),
      "CREATE TABLE more (id TEXT); ALTER TABLE notes ADD COLUMN tag TEXT",
    );
    await writeFile(join(folder, "0003-broken.sql"), "CREATE TABLE others (id TEXT); CREATE TABLE notes (id TEXT)");
    const refusal = await refusalOf(postgres.open({ migrations }));
    expect(refusal).to.match(/cannot be migrated by 0003-broken\.sql: relation "notes" already exists/);
    await writeFile(join(folder, "0003-broken.sql"), "CREATE TABLE others (id TEXT)");
    expect(await opening({ migrations })).to.equal("version 6.3, migrated from 6.1");
  });

  it("refuses a schema of newer code that has left this one behind", async () => {
    await writeFile(join(folder, "0002-more.sql"), "CREATE TABLE more (id TEXT)");
    await (await postgres.open({ migrations })).close();
    const refusal =
      / has schema 6\.2, newer than the 6\.1 that this version knows, and takes 6\.2 at least: start a newer/;
    expect(await refusalOf(postgres.open())).to.match(refusal);
  });

  it("lets older code use what newer code has only added to, beside it and after it, until one leaves it behind", async () => {
    const older = await postgres.open();
    await writeFile(join(folder, "0002-tag.sql"), "-- Oldest code: 0001\nALTER TABLE notes ADD COLUMN tag TEXT");
    const newer = await postgres.open({ migrations });
    for (const store of [older, newer]) await store.write(addNote(randomUUID()));
    expect(await opening()).to.equal("version 6.2, while this code knows 6.1");
    await postgres.end();
    await writeFile(join(folder, "0003-other.sql"), "-- Oldest code: 0002\nCREATE TABLE other (id TEXT)");
    expect(await opening({ migrations })).to.equal("version 6.3, migrated from 6.2");
    expect(await refusalOf(postgres.open())).to.match(
      / has schema 6\.3, .* and takes 6\.2 at least: start a newer version$/,
    );
    await rm(join(folder, "0003-other.sql"));
    expect(await opening({ migrations })).to.equal("version 6.3, while this code knows 6.2");
  });

  it("waits for a process to end that a migration would leave behind", async () => {
    const older = await postgres.open();
    await writeFile(join(folder, "0002-more.sql"), "CREATE TABLE more (id TEXT)");
    const newer = postgres.open({ migrations });
    await until("it looks who is there", async () =>
      (await lastQueryOf("quartet notes 6.2")).includes("pg_stat_activity"),
    );
    await older.write(addNote("a"));
    await older.close();
    await newer;
  });

  it("tells a process that a pooler has hidden that newer code has left it behind", async () => {
    const told: string[] = [];
    await postgres.open({ onLeftBehind: (line) => told.push(line) });
    await writeFile(join(folder, "0002-more.sql"), "CREATE TABLE more (id TEXT)");
    await postgres.open({ migrations, pooled: true, url: await urlOfRoleWith("hidden", postgres.schema) });
    await until("it is told", () => told.length > 0);
    expect(told.join()).to.match(/^notes: postgres:.* has schema 6\.2, newer than the 6\.1 .* start a newer version$/);
  });

  it("waits for who reads a table for long, without others waiting behind it", async () => {
    const older = await postgres.open();
    const reader = new Client({ connectionString: postgres.server.url });
    await reader.connect();
    await reader.query(`BEGIN; LOCK TABLE "${postgres.schema}".notes IN ACCESS SHARE MODE`);
    await writeFile(join(folder, "0002-tag.sql"), "-- Oldest code: 0001\nALTER TABLE notes ADD COLUMN tag TEXT");
    const newer = postgres.open({ migrations });
    await until("it waits for the table", async () => (await waitingFor("notes")) > 0);
    // It would wait for as long as the reader, and so would this.
    await older.write(addNote("a"));
    await until("it stands aside", async () => (await waitingFor("notes")) === 0);
    await reader.end();
    await newer;
    await older.write(addNote("b"));
  });

  it("changes nothing where it is not to migrate", async () => {
    expect(await refusalOf(postgres.open({ migrates: false }))).to.match(
      / has schema 0\.0, this needs 6\.1: `npm run migrate`/,
    );
    await postgres.open();
    expect(await opening({ migrates: false })).to.equal("version 6.1");
    await writeFile(join(folder, "0002-more.sql"), "CREATE TABLE more (id TEXT)");
    const refusal = / has schema 6\.1, this needs 6\.2: `npm run migrate` brings it there$/;
    expect(await refusalOf(postgres.open({ migrations, migrates: false }))).to.match(refusal);
  });

  it("refuses the schema of another module, or of another program", async () => {
    await postgres.open();
    const other = await postgres.open({ name: "others" }).catch((error: Error) => error.message);
    expect(other).to.match(/ is the database of notes, not of others$/);
    await postgres.server.query("CREATE SCHEMA foreign_one CREATE TABLE notes (id TEXT)");
    expect(await refusalOf(postgres.open({ schema: "foreign_one" }))).to.match(/ is not a database of notes$/);
  });

  it("refuses a server that it cannot reach or use, in one line that says why and tells no password", async () => {
    const at = (change: (url: URL) => void) => {
      const url = new URL(postgres.server.url);
      url.password = "secret";
      change(url);
      return refusalOf(postgres.open({ url: url.href }));
    };
    const refusals = [
      await at((url) => (url.port = "1")),
      await at((url) => (url.username = "nobody_of_this_name")),
      await at((url) => (url.pathname = "/no_such_database")),
      await at((url) => url.searchParams.set("sslmode", "verify-full")),
    ];
    expect(refusals[0]).to.match(/cannot be opened: .*ECONNREFUSED/);
    expect(refusals[1]).to.match(/role "nobody_of_this_name" does not exist/);
    expect(refusals[2]).to.match(/database "no_such_database" does not exist/);
    expect(refusals[3]).to.match(/does not support SSL/);
    for (const refusal of refusals) expect(refusal).not.to.match(/secret|\n/);
  });

  it("refuses a database that cannot keep all text", async () => {
    await postgres.server.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
    const url = new URL(postgres.server.url);
    url.pathname = "/latin";
    expect(await refusalOf(postgres.open({ url: url.href }))).to.match(/ has the encoding LATIN1; it has to be UTF8$/);
  });

  it("has its settings on each connection, or of its role where a pooler loses those of a connection", async () => {
    const store = await postgres.open();
    const settings = (from = store) =>
      from.read((reading) =>
        reading.get(
          sql`SELECT current_setting('jit') AS jit, current_setting('lock_timeout') AS wait, current_setting('search_path') AS path`,
        ),
      );
    const expected = (await settings()) as { path: string };
    expect(expected).to.deep.equal({ jit: "off", wait: "10s", path: expected.path });
    const schema = expected.path.replaceAll('"', "");
    const pooled = { pooled: true, schema };
    expect(await refusalOf(postgres.open(pooled))).to.contain("a pooler is in between");
    const behind = await postgres.open({ ...pooled, url: await urlOfRoleWith("pooled", schema) });
    await behind.write(addNote("a"));
    expect(await settings(behind)).to.include({ path: schema });
    await postgres.end();
  });
});
