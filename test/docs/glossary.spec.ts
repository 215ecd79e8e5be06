import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The rows of the table: term, names in the code, meaning, names that are not used. */
const rows = readFileSync(join(root, "docs/GLOSSARY.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| term "))
  .map((line) => line.slice(2, -2).split(" | "));

const exports = new Set(
  globSync("src/**/*.ts", { cwd: root }).flatMap((file) =>
    Array.from(
      readFileSync(join(root, file), "utf8").matchAll(
        /^export (?:async )?(?:interface|type|class|function\*?|const) (\w+)/gm,
      ),
      ([, name = ""]) => name,
    ),
  ),
);

describe("the glossary", () => {
  it("calls things as the code does", () => {
    const named = rows.flatMap(([, code = ""]) => Array.from(code.matchAll(/`(\w+)`/g), ([, name = ""]) => name));
    expect(named).to.have.length.above(30);
    const methods = new Set(["settle"]);
    expect(named.filter((name) => !exports.has(name) && !methods.has(name))).to.deep.equal([]);
  });

  it("has one name a thing: none that it rules out is exported", () => {
    const ruledOut = rows.flatMap(([, , , not = ""]) => not.split(", ")).filter((name) => /^[A-Z]\w+$/.test(name));
    expect(ruledOut).to.have.length.above(10);
    expect(ruledOut.filter((name) => exports.has(name))).to.deep.equal([]);
  });

  it("explains each term once", () => {
    const terms = rows.map(([term]) => term);
    expect(new Set(terms).size).to.equal(terms.length);
  });
});
