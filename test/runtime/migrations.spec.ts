import { readdirSync } from "node:fs";
import { expect } from "chai";
import { migrationsOf, postgresMigrationsOf } from "../../src/runtime/database-files.ts";
import { moduleNames } from "../../src/runtime/modules.ts";

describe("the migrations of a module", () => {
  for (const name of moduleNames) {
    it(`${name}: have the same numbers for both engines, from the first for PostgreSQL on`, () => {
      const [sqlite, postgres] = [numbersIn(migrationsOf(name)), numbersIn(postgresMigrationsOf(name))];
      expect(postgres).to.not.be.empty;
      expect(postgres).to.deep.equal(sqlite.filter((number) => number >= (postgres[0] ?? "")));
    });
  }
});

function numbersIn(folder: URL): string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".sql"));
  return files.map((file) => file.slice(0, 4)).sort();
}
