/**
 * The lines of a text that match, as they stand there, their common indentation taken away.
 * @param text the text, null where there is no such file, or undefined as long as nobody has told
 * @param from a line to begin after
 */
export function excerptOf(
  text: string | null | undefined,
  patterns: readonly RegExp[],
  most: number,
  from?: string,
): string {
  if (text === undefined) return "Not known yet.";
  if (text === null) return "This file is not shipped here.";
  const all = text.split("\n");
  const lines = all
    .slice(from === undefined ? 0 : all.indexOf(from) + 1)
    .filter((line) => patterns.some((pattern) => pattern.test(line)))
    .slice(0, most);
  const indent = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent).trimEnd()).join("\n");
}
