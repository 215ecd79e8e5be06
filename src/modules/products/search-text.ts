/**
 * A query of SQLite's FTS5 for what a person typed: all of its words, the last of which may be just the beginning of one.
 * Each is quoted, so that nothing of it is an operator.
 * @returns undefined where there is no word in it, which nothing matches
 */
export function searchQuery(text: string): string | undefined {
  const words = text.match(WORDS);
  return words === null ? undefined : `${words.map((word) => `"${word}"`).join(" AND ")}*`;
}

/** Letters with their marks, digits, and what people make signs of their own: no quotes. */
const WORDS = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{M}\p{Co}]*/gu;
