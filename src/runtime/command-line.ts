import { parseArgs } from "node:util";

/** What follows the name of a program or command, taken apart. */
export interface CommandLine {
  /** The text of each flag that was given, by the name that `--x-y` has elsewhere: X_Y. */
  readonly flags: ReadonlyMap<string, string>;
  /** What is neither a flag nor its value. */
  readonly words: readonly string[];
  /** What cannot be read, a line each. */
  readonly mistakes: readonly string[];
}

/**
 * Reads `--x-y value`, `--x-y=value` and words, in any order.
 * @param names of the flags that there are, as X_Y
 * @param mostWords how many words may be there
 */
export function readCommandLine(args: readonly string[], names: readonly string[], mostWords = 0): CommandLine {
  const known = new Map(names.map((name) => [flagOf(name), name]));
  const options = Object.fromEntries(names.map((name) => [flagOf(name), { type: "string" as const }]));
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const flags = new Map<string, string>();
  const words: string[] = [];
  const mistakes: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const name = known.get(token.name);
    const given = token.inlineValue ? `${token.rawName}=${token.value}` : token.rawName;
    if (name === undefined) mistakes.push(`${given}: there is no such flag; --help lists them`);
    else if (token.value === undefined) mistakes.push(`${given}: a value is expected after it`);
    else flags.set(name, token.value);
  }
  for (const word of words.slice(mostWords)) {
    mistakes.push(`${word}: expected a flag, --x-y VALUE; --help lists them`);
  }
  return { flags, words, mistakes };
}

/** The flag of a setting: `--x-y` without its dashes. */
export function flagOf(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
