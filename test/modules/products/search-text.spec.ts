import Database from "better-sqlite3";
import { expect } from "chai";
import { searchQuery, tsquery, tsvector } from "../../../src/modules/products/search-text.ts";

/** Scripts that shops are written in, as far as Unicode 6.1 has them, which SQLite goes by. */
const SCRIPTS: readonly (readonly [from: number, to: number])[] = [
  [0x20, 0x52f], // Latin, Greek, Cyrillic
  [0x5d0, 0x5ea], // Hebrew
  [0x620, 0x669], // Arabic
  [0x900, 0x97f], // Devanagari
  [0xe01, 0xe5b], // Thai
  [0x1e00, 0x1fff], // Latin and Greek with diacritics
  [0x2000, 0x206f], // punctuation
  [0x3040, 0x30ff], // Kana
  [0x4e00, 0x4eff], // of the Han characters the first
  [0xac00, 0xacff], // of the Hangul syllables the first
  [0xe000, 0xe0ff], // for private use
];

/** Letters with two diacritics, of which SQLite keeps one; what Unicode has got later; and marks that are no letters' any more. */
const OTHERWISE = new Set([
  0x1e0, 0x1e1, 0x1e9b, 0x37f, 0x528, 0x52a, 0x52c, 0x52e, 0x978, 0x2066, 0x2067, 0x2068, 0x2069,
]);

describe("the words of a text", () => {
  it("are for PostgreSQL what SQLite's index has", () => {
    const characters = SCRIPTS.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at));
    const texts = characters.map((code) => `q${String.fromCodePoint(code)}Q é${String.fromCodePoint(code)}`);
    const indexed = tokensOfSqlite(texts);
    for (const [at, text] of texts.entries()) {
      const code = characters[at] ?? 0;
      if (OTHERWISE.has(code)) continue;
      expect(tokensOf(tsvector(text)), `U+${code.toString(16)}`).to.deep.equal(indexed[at]);
    }
  });

  it("have their places, so that a phrase neither skips a word nor begins in one text and ends in the next", () => {
    expect(tsvector("Blue mug", "holds Tea")).to.equal("'blue':2 'mug':3 'holds':5 'tea':6");
    expect(tsvector("", "")).to.equal("");
  });

  it("are asked for alike", () => {
    expect(searchQuery('say "a" OR b*')).to.equal('"say" AND "a" AND "OR" AND "b"*');
    expect(tsquery('say "a" OR b*')).to.equal("'say' & 'a' & 'or' & 'b':*");
    expect(tsquery("हिन्दी")).to.equal("'ह' <-> 'न' <-> 'द':*");
    for (const nothing of ["!!!", "", "\u0301", "'"]) {
      expect([searchQuery(nothing), tsquery(nothing)], nothing).to.deep.equal([undefined, undefined]);
    }
  });

  it("are cut where PostgreSQL could not hold them", () => {
    expect(tokensOf(tsvector("𐐨".repeat(2_000)))[0]).to.equal("𐐨".repeat(500));
  });
});

function tokensOf(vector: string): string[] {
  return Array.from(vector.matchAll(/'([^']*)':\d+/g), ([, token = ""]) => token);
}

/** What SQLite finds in each of the texts. */
function tokensOfSqlite(texts: readonly string[]): string[][] {
  const database = new Database(":memory:");
  database.exec(`CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2');
    CREATE VIRTUAL TABLE tokens USING fts5vocab (texts, instance)`);
  const insert = database.prepare("INSERT INTO texts (rowid, text) VALUES (?, ?)");
  for (const [at, text] of texts.entries()) insert.run(at + 1, text);
  const rows = database
    .prepare<[], { doc: number; term: string }>("SELECT doc, term FROM tokens ORDER BY doc, offset")
    .all();
  database.close();
  const found = texts.map((): string[] => []);
  for (const { doc, term } of rows) found[doc - 1]?.push(term);
  return found;
}
