import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { moveStores } from "../../src/operate/commands/move-store.ts";
import { readArguments } from "../../src/runtime/config.ts";
import { databaseIn, migrationsOf, postgresMigrationsOf } from "../../src/runtime/database-files.ts";
import { openSchemaTarget } from "../../src/store/engines/postgres/move/target.ts";
import { openPostgresStore } from "../../src/store/engines/postgres/open-store.ts";
import { openFileSource } from "../../src/store/engines/sqlite/move/source.ts";
import { openStore } from "../../src/store/engines/sqlite/open-store.ts";
import { lockForServing } from "../../src/store/engines/sqlite/serving-lock.ts";
import { sharedTables } from "../../src/store/move/move.ts";
import type { Table } from "../../src/store/move/tables.ts";
import type { Store } from "../../src/store/store.ts";
import { MODULES, type ModuleName } from "../support/databases.ts";
import { inWholeRun } from "../support/extent.ts";
import { ask, missingPostgres, type PostgresServer, startPostgresServer } from "../support/postgres.ts";
import { readShop, writeShop } from "./moved-shop.ts";

/** Tables that SQLite has no need of; decisions follow from the ledger. */
const isOfServer = (column: string) =>
  /^(commit_witnesses|decisions|leases|outbox_arrivals|outbox_head|schema_versions)\./.test(column);

const columnsOf = ({ name, columns }: Table) => columns.map((column) => `${name}.${column}`);

describe("moving a shop's data to PostgreSQL and back", () => {
  let server: PostgresServer;
  let folder: string;
  let shop: string;
  let url: string;

  before(async function () {
    const missing = missingPostgres();
    if (missing !== undefined) {
      console.log(`    ${missing}`);
      return this.skip();
    }
    server = await startPostgresServer();
    folder = mkdtempSync(join(tmpdir(), "quartet-move-"));
    await writeShop(join(folder, "whole"));
  });
  after(async () => {
    await server?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    shop = copyOfShop("shop");
    url = await server.createDatabase();
  });

  function copyOfShop(name: string): string {
    const copy = mkdtempSync(join(folder, name));
    for (const module of MODULES) copyFileSync(databaseIn(join(folder, "whole"), module), databaseIn(copy, module));
    return copy;
  }

  const argumentsOf = (from: string, to: string, ...more: string[]) =>
    readArguments(["--from", from, "--to", to, ...more], { flags: ["FROM", "TO"] });
  const move = (from: string, to: string, ...more: string[]) => {
    const lines: string[] = [];
    return moveStores(argumentsOf(from, to, ...more), (line) => lines.push(line)).then(
      (told) => `${lines.join("\n")}\n${told}`,
    );
  };
  const refusalOf = (work: Promise<unknown>) =>
    work.then(
      () => "it was not refused",
      (error: Error) => error.message,
    );

  /** Cut short after the table that this is the line of. */
  const moveHalf = (from: string, to: string, cutAt: string) =>
    moveStores(argumentsOf(from, to), (line) => {
      if (line.startsWith(cutAt)) throw new Error("cut short");
    }).then(
      () => expect.fail("nothing was cut short"),
      (error: Error) => expect(error.message).to.match(/ was cut short: cut short\. Run it again/),
    );

  const open = (name: ModuleName, at: string): Promise<Store> => {
    if (at.startsWith("postgres:")) return openPostgresStore({ name, url: at, migrations: postgresMigrationsOf(name) });
    return Promise.try(() => openStore({ name, file: databaseIn(at, name), migrations: migrationsOf(name) }));
  };

  it("brings every row there, and back, as it was", async () => {
    const before = readShop(shop);
    expect(await move(shop, url)).to.match(
      /every row is the same\.\nOrders looked at: 4; .* under way: 1\.\nAll adds up\./,
    );
    expect(readShop(shop), "what was moved").to.deep.equal(before);
    const back = mkdtempSync(join(folder, "back"));
    await move(url, back);
    expect(readShop(back)).to.deep.equal(before);
    const search = new Database(databaseIn(back, "products"));
    search.exec("INSERT INTO products_search (products_search, rank) VALUES ('integrity-check', 1)");
    search.close();
  });

  it("leaves behind what follows from the rest, and no more", async () => {
    const left: { folder: string[]; url: string[] } = { folder: [], url: [] };
    for (const name of MODULES) {
      const source = await openFileSource({ name, file: databaseIn(shop, name) }, migrationsOf(name));
      const target = await openSchemaTarget({ name, url }, { migrations: postgresMigrationsOf(name), fills: [] });
      const shared = new Set(sharedTables(source, target).flatMap(columnsOf));
      left.folder.push(...source.tables.flatMap(columnsOf).filter((column) => !shared.has(column)));
      left.url.push(...target.tables.flatMap(columnsOf).filter((column) => !shared.has(column)));
      await Promise.all([source.close(), target.close()]);
    }
    const inFile = left.folder.filter((column) => !column.endsWith(".rowid"));
    expect([...new Set(inFile)].sort()).to.deep.equal([
      "headroom.pad",
      "oldest_code.part",
      "oldest_code.version",
      "products.number",
    ]);
    const [ofServer, others] = [left.url.filter(isOfServer), left.url.filter((column) => !isOfServer(column))];
    expect(others).to.deep.equal(["products.words"]);
    expect(ofServer).to.not.deep.equal([]);
  });

  it("goes on where it was cut short, at each table, and nobody serves the half", async () => {
    const back = mkdtempSync(join(folder, "back"));
    for (const [from, to] of [
      [shop, url],
      [url, back],
    ] as const) {
      for (const line of ["users: sessions,", "orders: outbox,"]) {
        await moveHalf(from, to, line);
        for (const name of MODULES) {
          const refused = await refusalOf(open(name, to));
          expect(refused).to.match(new RegExp(`^${name}: .* has half of what is being moved there`));
        }
      }
      const told = await move(from, to);
      expect(told, "what was there is not moved again").to.not.match(/^(users|products): /m);
    }
    expect(readShop(back)).to.deep.equal(readShop(shop));
  });

  inWholeRun("moves of what has been served or moved before", () => {
    it("moves anew what was moved of a source that has been served since", async () => {
      const to = await server.createDatabase();
      await moveHalf(shop, to, "orders: orders,");
      const database = new Database(databaseIn(shop, "users"));
      database.exec("UPDATE users SET name = 'Another' WHERE id = (SELECT min(id) FROM users)");
      database.exec("DELETE FROM sessions WHERE handle_hash = (SELECT min(handle_hash) FROM sessions)");
      database.close();
      expect(await move(shop, to)).to.match(
        /users: the source has changed since this move began, at users .*: it begins anew/,
      );
      const again = mkdtempSync(join(folder, "again"));
      await move(to, again);
      expect(readShop(again)).to.deep.equal(readShop(shop));
    });

    it("changes nothing, and says so, where it has been moved already", async () => {
      await move(shop, url);
      expect(await move(shop, url)).to.match(/users: was moved before, and is equal/);
    });
  });

  describe("refuses, in one line", () => {
    const expectRefused = async (moving: Promise<unknown>, why: RegExp) => {
      const told = await refusalOf(moving);
      expect(told).to.match(why).and.to.not.include("\n");
    };

    it("a target that has rows", async () => {
      await (await open("users", url)).close();
      await expectRefused(
        move(shop, url),
        /^users: postgres:.*schema users is not empty: identity has rows\. Nothing was changed\.$/,
      );
      const other = mkdtempSync(join(folder, "other"));
      await (await open("orders", other)).close();
      const from = await server.createDatabase();
      await move(shop, from);
      await expectRefused(
        move(from, other, "--serve", "orders"),
        /^orders: .*orders\.db is not empty: identity has rows/,
      );
    });

    it("a target that was emptied by hand, whose epoch others know", async () => {
      await move(shop, url);
      const [{ tables = "" } = {}] = await ask<{ tables: string }>(
        url,
        "SELECT string_agg('orders.' || relname, ', ') AS tables FROM pg_class WHERE relnamespace = 'orders'::regnamespace AND relkind = 'r' AND relname NOT IN ('outbox_head', 'schema_versions')",
      );
      await ask(url, `TRUNCATE ${tables}`);
      await expectRefused(
        move(shop, url, "--serve", "orders"),
        /^orders: postgres:.* was used before, though it is empty now/,
      );
    });

    it("the half of another shop", async () => {
      await moveHalf(shop, url, "products: products,");
      const database = new Database(databaseIn(shop, "users"));
      database.exec("UPDATE identity SET database = 'another'");
      database.close();
      await expectRefused(move(shop, url), /^users: postgres:.* is the half of another shop's move, from .*users\.db$/);
    });

    inWholeRun("the wait for a source that is served", () => {
      it("a source that is served, in either engine", async () => {
        const unlock = await lockForServing(
          { name: "products", file: databaseIn(shop, "products") },
          { onWait() {}, onLost() {} },
        );
        await expectRefused(move(shop, url), /^products: .*products\.db is served by another process/);
        unlock();
        await move(shop, url);
        const served = await open("products", url);
        await expectRefused(
          move(url, join(folder, "nowhere")),
          /^products: postgres:.* is in use; stop its processes first$/,
        );
        await served.close();
      });
    });

    it("a source that is not there, or is a half itself", async () => {
      await expectRefused(
        move(join(folder, "nowhere"), url),
        /^users: .*users\.db is not there; see --from and --serve\.$/,
      );
      await expectRefused(move(url, join(folder, "nowhere")), /^users: postgres:.* is not there$/);
      await moveHalf(shop, url, "products: products,");
      await expectRefused(
        move(url, join(folder, "nowhere")),
        /^users: .* has half of what is being moved there from .*users\.db/,
      );
    });

    it("places that are not one of each kind", async () => {
      await expectRefused(move(shop, join(folder, "nowhere")), /expected a folder and a URL of PostgreSQL/);
    });
  });
});
