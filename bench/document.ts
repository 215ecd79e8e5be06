import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { describeOccasion, placesOf, writeTables } from "./page.ts";

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

const FOR_A_MOMENT = ["--rounds=1", "--seconds=0.5", "--warmup=0.5"];

const { values: flags } = parseArgs({
  options: { only: { type: "string" }, try: { type: "boolean", default: false } },
});
const { only } = flags;
const chosen = placesOf(PAGE).filter(({ by, isLong }) => (only === undefined ? !isLong : by.includes(only)));
if (chosen.length === 0) throw new Error(`the page has no table whose command has ${only} in it`);

for (const { by: command } of chosen) {
  console.error(`\n${command} (after ${Math.round(performance.now() / 1_000)} s)\n`);
  try {
    const printed = run(command);
    console.log(printed);
    const told = `${printed}\n\n${describeOccasion()}: \`npx node ${command}\``;
    if (!flags.try) writeTables(PAGE, new Map([[command, told]]));
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
