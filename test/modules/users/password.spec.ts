import { readFileSync } from "node:fs";
import { expect } from "chai";
import { loadCommonPasswords } from "../../../src/modules/users/passwords/common-passwords.ts";
import { canonicalPassword, fitsHash, passwordWeakness } from "../../../src/modules/users/passwords/password.ts";
import { SortedLines } from "../../../src/modules/users/passwords/sorted-lines.ts";

describe("password rules", () => {
  let common: SortedLines;

  before(async () => {
    common = await loadCommonPasswords();
  });

  for (const password of [
    "correct horse battery",
    "admin-demo-password",
    "ключ от сарая",
    "🔑".repeat(12),
    "x9$".repeat(24),
  ]) {
    it(`let ${password} be chosen`, () => {
      expect(passwordWeakness(password, common)).to.equal(undefined);
    });
  }

  it("count characters, not code units, toward the least length", () => {
    expect(passwordWeakness("🔑".repeat(11), common)).to.match(/at least 12/);
    expect(passwordWeakness("elf letters", common)).to.match(/at least 12/);
  });

  it("count bytes toward the greatest length", () => {
    expect(passwordWeakness(`${"ab".repeat(35)}éx`, common)).to.match(/at most 72 bytes/);
    expect(fitsHash("é".repeat(36))).to.equal(true);
    expect(fitsHash("é".repeat(37))).to.equal(false);
  });

  for (const password of [
    "passwordpassword",
    "PASSWORD1234",
    "password12345",
    "iloveyou1234",
    "000000000000",
    "1qaz2wsx3edc",
  ]) {
    it(`refuse ${password} as common`, () => {
      expect(passwordWeakness(password, common)).to.match(/most common/);
    });
  }

  it("know each line of the list, and no other", () => {
    const list = readFileSync(new URL("../../../src/modules/users/passwords/common-passwords.txt", import.meta.url));
    const lines = new Set(list.toString().trimEnd().split("\n"));
    expect(lines.size).to.be.above(49_000);
    const tried = [...lines].flatMap((line) => [line, line.slice(1), line.slice(0, -1), `${line}é`, `${line}\n`]);
    expect(tried.filter((line) => common.has(line) !== lines.has(line))).to.deep.equal([]);
    for (const text of ["", "b", "b\n", "b\nd", "b\nd\n"]) {
      const some = new SortedLines(Buffer.from(text));
      const has = ["a", "b", "c", "d", "e"].filter((line) => some.has(line));
      expect(has, JSON.stringify(text)).to.deep.equal(text.trim().split("\n").filter(Boolean));
    }
  });

  it("see the same password in both ways of writing an accent", () => {
    expect(canonicalPassword("cafe\u0301")).to.equal(canonicalPassword("caf\u00e9"));
  });
});
