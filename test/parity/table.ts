/** How one topology fared with one group of scenarios. */
export interface Result {
  readonly topology: string;
  readonly group: string;
  outcome: "equal" | "different" | "not run";
  /** Why it was not run. */
  readonly reason?: string;
  /** How much was compared. */
  entries?: number;
  /** How often a module has moved to another process meanwhile. */
  moves?: number;
  ms: number;
}

/** Prints topology × scenarios: equal or different, over how many entries, and the time of each row. */
export function printTable(results: readonly Result[], groups: readonly string[]): void {
  const topologies = [...new Set(results.map(({ topology }) => topology))];
  const rows = topologies.map((topology) => {
    const own = results.filter((result) => result.topology === topology);
    const seconds = own.reduce((sum, { ms }) => sum + ms, 0) / 1_000;
    const cells = groups.map((group) => cell(own.find((result) => result.group === group)));
    return [topology, ...cells, `${seconds.toFixed(1)} s`];
  });
  const table = [["", ...groups, "time"], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  console.log();
  for (const row of table) console.log(`  ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ")}`);
  const run = results.filter(({ outcome }) => outcome !== "not run");
  const different = run.filter(({ outcome }) => outcome === "different").length;
  console.log(`\n  ${different} different of ${run.length}`);
  for (const reason of new Set(results.map((result) => result.reason))) if (reason) console.log(`  not run: ${reason}`);
  console.log();
}

function cell(result: Result | undefined): string {
  if (result === undefined || result.outcome === "not run") return "not run";
  const moves = result.moves ? `, ${result.moves} moves` : "";
  return result.outcome === "equal" ? `equal (${result.entries}${moves})` : "different";
}
