import { expect } from "chai";
import { matchesStrongly } from "../../../src/modules/products/if-match.ts";

describe("If-Match", () => {
  const cases: [header: string, holds: boolean][] = [
    ["*", true],
    [" * ", true],
    ['"a"', true],
    ['"b", "a"', true],
    ['"b","a"', true],
    ['"b,c", "a"', true],
    ['"b"', false],
    ['"b", "c"', false],
    ['W/"a"', false],
    ['W/"a", "a"', true],
    ['"A"', false],
    ["a", false],
    ['"a', false],
    ["", false],
    ['"*"', false],
  ];
  for (const [header, holds] of cases) {
    it(`${holds ? "holds" : "fails"} for "a" with: ${header}`, () => {
      expect(matchesStrongly(header, '"a"')).to.equal(holds);
    });
  }
});
