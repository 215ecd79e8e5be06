import { expect } from "chai";
import fc from "fast-check";
import { isProblem } from "../../src/base/problem.ts";
import { parseStrictJson } from "../../src/http/strict-json.ts";

describe("strict JSON", () => {
  it("reads whatever JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        expect(parseStrictJson(Buffer.from(text))).to.deep.equal(JSON.parse(text));
      }),
    );
  });

  const refused: Record<string, string | Buffer> = {
    nothing: "",
    "white space alone": " \n",
    "broken JSON": '{"a":1,}',
    "an open string": '{"a":"\\',
    "text after the value": "{} {}",
    "bytes that are not UTF-8": Buffer.from([0x22, 0xc3, 0x28, 0x22]),
    "a surrogate encoded as UTF-8": Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    "a byte order mark": Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
    "the same member twice": '{"a":1,"a":1}',
    "the same member in two spellings": '{"a":1,"\\u0061":1}',
    "the same member deep inside": '[{"x":[{"b":{},"c":1,"b":{}}]}]',
    "__proto__ twice": '{"__proto__":1,"__proto__":2}',
    "33 levels": `${"[".repeat(33)}${"]".repeat(33)}`,
    "100 KiB of opening brackets": "[".repeat(100 * 1024),
    "100 KiB of objects in each other": '{"a":'.repeat(20 * 1024),
  };
  for (const [what, body] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      expect(codeOf(() => parseStrictJson(Buffer.from(body)))).to.equal("invalid-json");
    });
  }

  const accepted: Record<string, string> = {
    "32 levels": `${'{"a":['.repeat(16)}${"]}".repeat(16)}`,
    "brackets and colons inside strings": JSON.stringify({ ["[{:".repeat(100)]: '"[{"a":'.repeat(100) }),
    "the same name in different objects": '{"a":{"a":[{"a":1},{"a":2}]}}',
    "names that are numbers": '{"2":1,"1":2,"-1":3}',
    "one __proto__, as a member of its own": '{"__proto__":{"admin":true}}',
  };
  for (const [what, text] of Object.entries(accepted)) {
    it(`takes ${what}`, () => {
      const value = parseStrictJson(Buffer.from(text));
      expect(JSON.stringify(value)).to.equal(JSON.stringify(JSON.parse(text)));
    });
  }

  it("reads a number that is too large as one that JSON can write", () => {
    const large = { a: Number.MAX_VALUE, b: [-Number.MAX_VALUE], c: "1e400", d: 1e30 };
    for (const number of ["1e400", "1E+400", `${"9".repeat(310)}`, `${"9".repeat(300)}e9`]) {
      const text = `{"a":${number},"b":[-${number}],"c":"1e400","d":1e30}`;
      expect(parseStrictJson(Buffer.from(text))).to.deep.equal(large);
    }
  });

  it("pollutes no prototype", () => {
    expect((parseStrictJson(Buffer.from('{"__proto__":{"admin":true}}')) as { admin?: boolean }).admin).to.equal(
      undefined,
    );
    expect(({} as { admin?: boolean }).admin).to.equal(undefined);
  });
});

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isProblem(error)) return error.code;
    throw error;
  }
}
