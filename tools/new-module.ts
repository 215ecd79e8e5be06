import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesOf, type NewModule, rowOf } from "./module-files.ts";
import { readNewModule } from "./new-module-arguments.ts";

/**
 * Begins a module: `npm run new:module shipments -- --hears orders --calls users`. Writes its folder, its first test, its row in the list of
 * modules, and what follows from that. Ends with status 1 and one line where it cannot, and has written nothing then.
 */
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LIST = "src/runtime/modules.ts";
const module = asked();
requireClean();
const list = readFileSync(join(ROOT, LIST), "utf8");
const written = { ...filesOf(module), [LIST]: withRow(list) };
for (const [file, text] of Object.entries(written)) {
  mkdirSync(dirname(join(ROOT, file)), { recursive: true });
  writeFileSync(join(ROOT, file), text);
}
const sources = Object.keys(written).filter((file) => file.endsWith(".ts"));
run("node_modules/.bin/biome", ["check", "--write", "--log-level=error", ...sources]);
run("npm", ["run", "--silent", "generate"]);
run("npm", ["run", "--silent", "build:console"]);
console.log(`${module.name} is in src/modules/${module.name}, with a first test in test/modules/${module.name}, and in every topology. Now:

  npm run check
  npx mocha test/modules/${module.name}
  npm run dev
`);

/** What this writes can be seen, and taken back, only where nothing else has changed. */
function requireClean(): void {
  const { status, stdout } = spawnSync("git", ["status", "--porcelain"], { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) fail("this needs git, and a clone of the repository");
  if (stdout !== "")
    fail("something is not committed: commit or stash it first, so that `git diff` shows what this writes");
}

function asked(): NewModule {
  try {
    return readNewModule(process.argv.slice(2));
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function withRow(text: string): string {
  const { name } = module;
  const end = text.search(/^} as const satisfies /m);
  const lastImport = text.lastIndexOf("import { ", text.indexOf("interface ModuleEntry"));
  if (end < 0 || lastImport < 0)
    fail(`${LIST} is not as this expects it: write the row by hand (docs/how-to/add-a-module.md)`);
  const contract = `import { ${name} } from "../modules/${name}/contract.ts";\n`;
  return `${text.slice(0, lastImport)}${contract}${text.slice(lastImport, end)}${rowOf(module)}${text.slice(end)}`;
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
