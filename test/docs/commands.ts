import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readPage } from "./page.ts";

/**
 * What a reader types in some sections of a page, for one shell.
 * @param path the page, from the repository's root
 * @throws Error when the page lacks one of them
 */
export function commandsOf(path: string, headings: readonly string[]): string {
  const sections = readPage(readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8"));
  const steps = headings.flatMap((wanted) => {
    const section = sections.find(({ heading }) => heading === wanted);
    if (section === undefined) throw new Error(`${path} has nothing to type under "${wanted}"`);
    return section.steps;
  });
  return steps.flatMap((step) => (step.kind === "run" ? [step.script] : [])).join("\n");
}
