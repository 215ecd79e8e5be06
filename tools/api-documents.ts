import { existsSync, readFileSync, writeFileSync } from "node:fs";
import packageJson from "../package.json" with { type: "json" };
import { describeAll } from "../src/gateway/documents.ts";
import { publicContracts } from "../src/runtime/modules.ts";
import { asyncApiBreaks, isBreakingRelease, openApiBreaks } from "./api-changes.ts";

/**
 * Holds the kept documents of the API against what the contracts say; with `--write` keeps these. Ends with status 1 when they
 * differ, or when a change breaks clients and the version does not say so: docs/api/README.md.
 */
const isWriting = process.argv.includes("--write");
const documents = describeAll(publicContracts, packageJson.version);

for (const [name, findBreaks] of [
  ["openapi", openApiBreaks],
  ["asyncapi", asyncApiBreaks],
] as const) {
  const file = new URL(`../docs/api/${name}.json`, import.meta.url);
  const kept = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  const made = `${JSON.stringify(documents[name], null, 2)}\n`;
  const breaks = kept === undefined ? [] : unmeantBreaks(JSON.parse(kept), documents[name], findBreaks);
  if (breaks.length > 0) {
    fail(
      `This breaks clients of docs/api/${name}.json:\n  ${breaks.join("\n  ")}\nIf it is meant: docs/api/README.md says how.`,
    );
  } else if (made !== kept) {
    if (isWriting) writeFileSync(file, made);
    else fail(`docs/api/${name}.json is not what the contracts say: npm run docs:api`);
  }
}

function unmeantBreaks(
  kept: { readonly info: { readonly version: string } },
  made: object,
  findBreaks: (before: object, after: object) => string[],
): string[] {
  return isBreakingRelease(kept.info.version, packageJson.version) ? [] : findBreaks(kept, made);
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
