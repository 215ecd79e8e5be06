import { expect } from "chai";
import { name } from "../../src/contract/schemas.ts";
import { users } from "../../src/modules/users/contract.ts";

describe("a name", () => {
  const schema = name(10);
  const faultOf = (value: string) => schema.safeParse(value).error?.issues[0]?.message;

  it("is taken without the spaces around it, in any script", () => {
    expect(schema.parse("  Ada \n")).to.equal("Ada");
    for (const fine of [
      "Ægir",
      "李",
      "O'Neil",
      "נועם",
      "🦊",
      "a".repeat(10),
      `${"é".normalize("NFD")}`,
      " 0123456789 ",
    ]) {
      expect(faultOf(fine), fine).to.equal(undefined);
    }
  });

  it("is not blank, nor of what nobody sees", () => {
    for (const blank of ["", "   ", "\u00a0", "\u3000", "\u200b\u200d", "\u2060", "\u3164", "\u2800", "\ufeff"]) {
      expect(faultOf(blank), JSON.stringify(blank)).to.be.a("string");
    }
  });

  it("holds no control, no line end and nothing that changes the direction of text", () => {
    for (const bad of [
      "a\u0000b",
      "a\u0007b",
      "a\nb",
      "a\u009fb",
      "a\u2028b",
      "\u202egnp.a",
      "a\u2066b",
      "a\u200fb",
      "a\u061cb",
      "a\u206ab",
      "a\u206fb",
      "a\ufff9b",
    ]) {
      expect(faultOf(bad), JSON.stringify(bad)).to.match(/control characters/);
    }
    expect(faultOf("a\ud800")).to.match(/surrogate/);
  });

  it("is as long as it is once trimmed", () => {
    expect(faultOf(`  ${"🦊".repeat(10)}  `)).to.equal(undefined);
    expect(schema.parse(`${" ".repeat(5_000)}Ada`)).to.equal("Ada");
    expect(faultOf("🦊".repeat(11))).to.equal("must have at most 10 characters");
    expect(faultOf("a".repeat(5_000))).to.equal("must have at most 10 characters");
  });
});

describe("an e-mail address", () => {
  const person = (email: string) => ({ name: "Ada", email, password: "correct horse battery" });
  const isTaken = (email: string) => users.operations.registerUser.input.safeParse(person(email)).success;

  it("is what a browser's field for it lets through", () => {
    for (const email of [
      ...[
        "ivan@xn--80a1acny.xn--p1ai",
        "a&b@example.com",
        "x=y@example.com",
        "o'neil+tag@example.co.uk",
        "A@EXAMPLE.com",
      ],
      ...["a@b", "#!$%&'*+/=?^_`{}|~@example.org", "first.last@sub.domain.example", "1@1.de"],
    ]) {
      expect(isTaken(email), email).to.equal(true);
    }
  });

  it("is nothing else, and not too long", () => {
    for (const email of [
      "",
      "a",
      "@b.de",
      "a@",
      "a b@example.com",
      "a@-b.de",
      "a@b-.de",
      "a@b..de",
      "a@b.de,c@d.de",
      "ü@example.com",
    ]) {
      expect(isTaken(email), email).to.equal(false);
    }
    expect(isTaken(`${"a".repeat(242)}@example.com`)).to.equal(true);
    expect(isTaken(`${"a".repeat(243)}@example.com`)).to.equal(false);
  });
});
