import { expect } from "chai";
import { isCurrency } from "../../src/contract/currencies.ts";

describe("the currencies that something can be priced in", () => {
  it("are codes that are in use, whatever minor units they have", () => {
    for (const code of ["USD", "EUR", "IDR", "JPY", "KWD", "CLF", "XOF", "XCG", "ZWG"]) {
      expect(isCurrency(code), code).to.equal(true);
    }
  });

  it("are not what is no code, was one, or stands for no money", () => {
    for (const code of ["ZZZ", "usd", "US", "USDX", "", "DEM", "HRK", "ANG", "ZWL", "XXX", "XTS", "XAU", "XDR"]) {
      expect(isCurrency(code), code).to.equal(false);
    }
  });

  it("are known to the runtime, but for funds that no display has a name for", () => {
    const known = new Set(Intl.supportedValuesOf("currency"));
    const strangers = everyCode().filter((code) => isCurrency(code) && !known.has(code));
    const funds = ["BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "VED"];
    expect(funds).to.include.members(strangers);
  });
});

function everyCode(): string[] {
  const letters = Array.from({ length: 26 }, (_, n) => String.fromCharCode(65 + n));
  return letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)));
}
