import { expect } from "chai";
import { migrationsOf, postgresMigrationsOf } from "../../src/runtime/database-files.ts";
import { moduleNames } from "../../src/runtime/modules.ts";
import { readMigrations } from "../../src/store/migration-files.ts";

const engines = new URL("../../src/store/engines/", import.meta.url);
const folders = [
  ["store", new URL("sqlite/migrations/", engines), new URL("postgres/migrations/", engines)],
  ...moduleNames.map((name) => [name, migrationsOf(name), postgresMigrationsOf(name)] as const),
] as const;

describe("the migrations", () => {
  for (const [name, sqlite, postgres] of folders) {
    it(`of ${name}: have the same numbers for both engines, from the first for PostgreSQL on, and name the same oldest code`, () => {
      const [first, ...others] = toldBy(postgres);
      const [same, ...counterparts] = toldBy(sqlite).filter(({ version }) => version >= (first?.version ?? 0));
      expect(first?.version).to.be.above(0);
      expect(same?.version).to.equal(first?.version);
      expect(others).to.deep.equal(counterparts);
    });
  }
});

function toldBy(folder: URL) {
  return readMigrations(folder).map(({ version, oldestCode }) => ({ version, oldestCode }));
}
