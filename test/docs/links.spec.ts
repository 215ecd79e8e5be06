import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...globSync("docs/**/*.md", { cwd: root }),
];

describe("what the pages point to", () => {
  it("is there: links between files, and the tests and sources they name", () => {
    const dead = pages.flatMap((page) => {
      const text = readFileSync(join(root, page), "utf8").replace(/^```.*?^```/gms, "");
      const links = Array.from(text.matchAll(/\]\((?!https?:)([^)#]+)/g), ([, target = ""]) =>
        resolve(root, dirname(page), target),
      );
      const named = Array.from(text.matchAll(/`((?:src|test|docs|bench|tools)\/[\w./-]+)`/g), ([, target = ""]) =>
        join(root, target),
      );
      return [...links, ...named].filter((target) => !existsSync(target)).map((target) => `${page} → ${target}`);
    });
    expect(pages).to.have.length.above(10);
    expect(dead).to.deep.equal([]);
  });

  it("is a script of package.json, where it is an npm run", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const missing = pages.flatMap((page) => {
      const named = readFileSync(join(root, page), "utf8").matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g);
      return Array.from(named, ([, name = ""]) => name)
        .filter((name) => !(name in scripts))
        .map((name) => `${page} → ${name}`);
    });
    expect(missing).to.deep.equal([]);
  });

  it("is a test for every promise, of each engine", () => {
    const lines = readFileSync(join(root, "docs/GUARANTEES.md"), "utf8").split("\n");
    const promises = lines.filter((line) => line.startsWith("| **")).map((line) => line.split(" | "));
    expect(promises).to.have.length.above(10);
    const untested = promises.flatMap(([promise = "", ...engines]) =>
      engines.length === 2 && engines.every((cell) => /`test\/[\w/.-]+\.spec\.ts`/.test(cell)) ? [] : [promise],
    );
    expect(untested).to.deep.equal([]);
  });
});
