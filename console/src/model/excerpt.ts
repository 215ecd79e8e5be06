/**
 * The lines of a text that match, as they stand there, each below those that it belongs to by its indentation.
 * @param text the text, null where there is no such file, or undefined as long as nobody has told
 * @param most lines at most
 */
export function excerptOf(text: string | null | undefined, patterns: readonly RegExp[], most: number): string {
  if (text === undefined) return "Not known yet.";
  if (text === null) return "This file is not shipped here.";
  const lines = text.split("\n").map((line) => line.trimEnd());
  const kept = new Set<number>();
  for (const [index, line] of lines.entries()) {
    if (!patterns.some((pattern) => pattern.test(line))) continue;
    const whole = [...ancestors(lines, index), index, ...continuations(lines, index)].filter((each) => !kept.has(each));
    if (kept.size + whole.length > most) break;
    for (const each of whole) kept.add(each);
  }
  return [...kept].map((index) => lines[index]).join("\n");
}

/** The lines above that are indented less and less, outermost first. */
function ancestors(lines: readonly string[], from: number): number[] {
  const found: number[] = [];
  let indent = indentOf(lines[from] ?? "");
  for (let index = from - 1; index >= 0 && indent > 0; index -= 1) {
    const line = lines[index] ?? "";
    if (line === "" || line.trimStart().startsWith("#") || indentOf(line) >= indent) continue;
    indent = indentOf(line);
    found.unshift(index);
  }
  return found;
}

/** The lines that a backslash at the end joins to this one. */
function continuations(lines: readonly string[], from: number): number[] {
  const found: number[] = [];
  for (let index = from; lines[index]?.endsWith("\\"); index += 1) found.push(index + 1);
  return found;
}

function indentOf(line: string): number {
  return Math.max(0, line.search(/\S/));
}
