/** What a reader of a page does, one thing after the other. */
export type Step = { readonly line: number } & (
  | { readonly kind: "run"; readonly script: string; readonly expected?: string }
  | { readonly kind: "serve"; readonly script: string }
  | { readonly kind: "write"; readonly path: string; readonly text: string }
  | { readonly kind: "apply"; readonly diff: string }
  | { readonly kind: "interrupt" }
);

export interface Section {
  readonly heading: string;
  readonly steps: readonly Step[];
}

/** The kinds of blocks that are only to be read. */
const OUTPUT = ["text", "json"];

/**
 * Reads the steps of a page from its Markdown:
 *
 * - a block of `sh` is run, and a block of `text` or `json` right after it is what it prints, `…` standing for anything;
 * - a block of `sh server` is run in a terminal of its own, until the text says Ctrl-C, which ends all of them;
 * - a block with `title="a/file"` is the content of that file;
 * - a block of `diff` is applied.
 *
 * @throws Error for a block that is none of these: everything that a page shows is tried
 */
export function readPage(markdown: string): Section[] {
  const sections: { heading: string; steps: Step[] }[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const text = lines[at] ?? "";
    const [, info] = /^```(.*)$/.exec(text) ?? [];
    const steps = sections.at(-1)?.steps ?? [];
    if (info !== undefined) {
      const end = lines.indexOf("```", at + 1);
      if (end < 0) throw new Error(`line ${at + 1}: a block that does not end`);
      addBlock(steps, info, `${lines.slice(at + 1, end).join("\n")}\n`, at + 1);
      at = end;
    } else if (/^#+ /.test(text)) {
      sections.push({ heading: text.replace(/^#+ /, ""), steps: [] });
    } else if (text.includes("Ctrl-C")) {
      steps.push({ kind: "interrupt", line: at + 1 });
    }
  }
  return sections.filter(({ steps }) => steps.length > 0);
}

function addBlock(steps: Step[], info: string, text: string, line: number): void {
  const [language = ""] = info.split(" ");
  const [, path] = /title="([^"]+)"/.exec(info) ?? [];
  const before = steps.at(-1);
  if (path !== undefined) steps.push({ kind: "write", path, text, line });
  else if (info === "sh") steps.push({ kind: "run", script: text, line });
  else if (info === "sh server") steps.push({ kind: "serve", script: text, line });
  else if (info === "diff") steps.push({ kind: "apply", diff: text, line });
  else if (OUTPUT.includes(language) && before?.kind === "run" && before.expected === undefined) {
    steps[steps.length - 1] = { ...before, expected: text };
  } else throw new Error(`line ${line}: a block of "${info}" that nobody would know what to do with`);
}

/**
 * Whether a program printed what the page shows: `…` stands for any text, or, on a line of its own, for any lines or none.
 * Space at the ends of lines and of the whole does not count.
 */
export function isAsShown(printed: string, shown: string): boolean {
  const pattern = shown
    .trim()
    .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    .replace(/\n *…(?=\n|$)/g, "(?:\\n[^]*?)?")
    .replaceAll("…", "[^]*?");
  return new RegExp(`^${pattern}$`).test(printed.replace(/[ \t]+$/gm, "").trim());
}
