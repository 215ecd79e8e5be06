import { expect } from "chai";
import { loadCommonPasswords } from "../../../src/modules/users/passwords/common-passwords.ts";
import { canonicalPassword, fitsHash, passwordWeakness } from "../../../src/modules/users/passwords/password.ts";

describe("password rules", () => {
  let common: ReadonlySet<string>;

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

  it("see the same password in both ways of writing an accent", () => {
    expect(canonicalPassword("cafe\u0301")).to.equal(canonicalPassword("caf\u00e9"));
  });
});
