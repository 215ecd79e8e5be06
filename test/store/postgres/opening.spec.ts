import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect } from "chai";
import { StoreRefusal } from "../../../src/store/refusal.ts";
import { sql } from "../../../src/store/sql.ts";
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

  it("makes the schema once, whoever else begins at the same time, and finds what was written before", async () => {
    const told: string[] = [];
    const opened = await Promise.all(
      [1, 2, 3, 4].map(() => postgres.open({ onOpened: (line) => told.push(line.split(",")[2] ?? "") })),
    );
    expect(told.sort()).to.deep.equal([" version 6.1", " version 6.1", " version 6.1", " version 6.1"]);
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
    let told = "";
    await postgres.open({
      migrations,
      onOpened: (line) => {
        told = line;
      },
    });
    expect(told).to.match(/^opened .*, version 6\.3, migrated from 6\.1$/);
  });

  it("refuses a schema that is newer than the code", async () => {
    await writeFile(join(folder, "0002-more.sql"), "CREATE TABLE more (id TEXT)");
    await postgres.open({ migrations });
    expect(await refusalOf(postgres.open())).to.match(/ has schema 6\.2, newer than the 6\.1 that this version knows$/);
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
    await postgres.server.query(`CREATE ROLE pooled LOGIN SUPERUSER; ALTER ROLE pooled SET search_path = "${schema}"`);
    const url = new URL(postgres.server.url);
    url.username = "pooled";
    const behind = await postgres.open({ ...pooled, url: url.href });
    await behind.write(addNote("a"));
    expect(await settings(behind)).to.include({ path: schema });
    await postgres.end();
  });
});
