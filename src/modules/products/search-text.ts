/**
 * A query of SQLite's FTS5 for what a person typed: all of its words, the last of which may be just the beginning of one.
 * Each is quoted, so that nothing of it is an operator.
 * @returns undefined where there is no word in it, which nothing matches
 */
export function searchQuery(text: string): string | undefined {
  const words = text.match(WORDS);
  return words === null ? undefined : `${words.map((word) => `"${word}"`).join(" AND ")}*`;
}

/** The same for PostgreSQL, a tsquery. */
export function tsquery(text: string): string | undefined {
  const phrases = (text.match(WORDS) ?? []).map((word) => tokensOf(word).map(quote).join(" <-> "));
  return phrases.length === 0 ? undefined : `${phrases.join(" & ")}:*`;
}

/** What PostgreSQL finds texts by, a tsvector: their words with their places, so that no phrase begins in one and ends in another. */
export function tsvector(...texts: readonly string[]): string {
  let place = 0;
  const placed = texts.flatMap((text) => {
    place += 1;
    return tokensOf(text).map((token) => `${quote(token)}:${++place}`);
  });
  return placed.join(" ");
}

/** Letters with their marks, digits, and what people make signs of their own: no quotes. */
const WORDS = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{M}\p{Co}]*/gu;

/** A word as FTS5's tokenizer `unicode61` finds it: of marks it knows those that Latin letters have, and passes them over. */
const DIACRITICS = "\\u0300-\\u0304\\u0306-\\u030c\\u030f\\u0311\\u031b\\u0323-\\u0328\\u032d\\u032e\\u0330\\u0331";
const LETTER = "[^\\p{M}\\p{P}\\p{S}\\p{Z}\\p{Cc}\\p{Cf}]";
const TOKENS = new RegExp(`${LETTER}(?:${LETTER}|[${DIACRITICS}])*`, "gu");
const MARKS = new RegExp(`[${DIACRITICS}]`, "gu");

/** A lexeme has at most 2,046 bytes. Nobody searches for a longer one, which is longer than any query. */
const LONGEST_TOKEN = 500;

function tokensOf(text: string): string[] {
  return (text.match(TOKENS) ?? []).map((token) =>
    Array.from(token.replace(MARKS, ""), fold).slice(0, LONGEST_TOKEN).join(""),
  );
}

/** A character without its case, nor, if it is a Latin letter, its diacritics. */
function fold(character: string): string {
  const [base = ""] = character.normalize("NFD").toLowerCase();
  if (/[a-z]/.test(base)) return base;
  const lower = character.toUpperCase().toLowerCase(); // there and back, since some have two lower cases
  return character === "ı" || lower.length > character.length ? character.toLowerCase() : lower;
}

/** There is no sign in a token. */
function quote(token: string): string {
  return `'${token}'`;
}
