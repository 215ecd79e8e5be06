import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { moduleNames, modules } from "../src/runtime/modules.ts";
import { withPorts, withPostgres, withProduction, withServices } from "./compose-files.ts";
import { describeForPage } from "./page-modules.ts";

/**
 * Holds what follows from the list of modules against it: what the page knows of them, and the services of Compose. With
 * `--write` writes what follows. Ends with status 1 when they differ.
 */
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PAGE = "console/src/model/modules.ts";

const isWriting = process.argv.includes("--write");
/** Ports from 8001 on, as the settings have them. */
const listed = moduleNames.map((name, at) => ({ name, port: 8001 + at, calls: modules[name].calls }));

await hold(PAGE, async () => formatted(PAGE, await describeForPage(listed)));
await hold("docker-compose.yml", (text) => withServices(text, listed));
await hold("compose.dev.yml", (text) => withPorts(text, listed));
await hold("compose.production.yml", (text) => withProduction(text, listed));
await hold("compose.postgres.yml", (text) => withPostgres(text, listed));

async function hold(file: string, make: (text: string) => string | Promise<string>): Promise<void> {
  const path = `${ROOT}/${file}`;
  const kept = readFileSync(path, "utf8");
  const made = await make(kept);
  if (made === kept) return;
  if (isWriting) return writeFileSync(path, made);
  console.error(`${file} is not what src/runtime/modules.ts says: npm run generate`);
  process.exitCode = 1;
}

/** As the linter wants it. */
function formatted(file: string, text: string): string {
  const biome = `${ROOT}/node_modules/.bin/biome`;
  return execFileSync(biome, ["format", `--stdin-file-path=${file}`], { cwd: ROOT, input: text, encoding: "utf8" });
}
