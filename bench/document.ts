import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

/**
 * Measures what docs/PERFORMANCE.md tells of, and writes it there: `npm run bench`. The page names the command of each of its tables;
 * what a command prints takes the place of what it printed before, with the date and the machine. Those that are `long` run when
 * they are asked for.
 *
 *     npm run bench                    # all that is not long
 *     npm run bench -- --only flat     # those whose command has this in it
 *     npm run bench -- --try           # each for a moment, and nothing is written
 */

const PAGE = new URL("../docs/PERFORMANCE.md", import.meta.url);

/** A table of the page: the comment that names its command, and all up to the comment that ends it. */
const TABLE = /(<!-- bench( long)?: node (bench\/.+) -->\n)[\s\S]*?(<!-- end -->)/g;

const FOR_A_MOMENT = ["--rounds=1", "--seconds=0.5", "--warmup=0.5"];

const { values: flags } = parseArgs({
  options: { only: { type: "string" }, try: { type: "boolean", default: false } },
});
const { only } = flags;
const tables = [...readFileSync(PAGE, "utf8").matchAll(TABLE)];
const chosen = tables.filter(([, , long, command = ""]) => (only === undefined ? !long : command.includes(only)));
if (chosen.length === 0) throw new Error(`the page has no table whose command has ${only} in it`);

for (const [, , , command = ""] of chosen) {
  console.error(`\n${command} (after ${Math.round(performance.now() / 1_000)} s)\n`);
  try {
    const printed = run(command);
    console.log(printed);
    if (!flags.try) write(command, printed);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error); // the others are measured all the same
    process.exitCode = 1;
  }
}

function run(command: string): string {
  const args = [...command.split(" "), ...(flags.try ? FOR_A_MOMENT : [])];
  const cwd = new URL("..", import.meta.url);
  return execFileSync(process.execPath, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

/** Puts what a command printed into its place. */
function write(command: string, printed: string): void {
  const date = new Date().toLocaleDateString("en-GB", { dateStyle: "long" });
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
  const told = `${printed}\n\n${date}, ${machine}: \`npx node ${command}\`\n`;
  const page = readFileSync(PAGE, "utf8").replaceAll(TABLE, (table, begin, _long, named, end) =>
    named === command ? `${begin}\n${told}\n${end}` : table,
  );
  writeFileSync(PAGE, page);
}
