import type { Row } from "./row.ts";

/** Rows × topologies: in how many ways each was tried, all answered as told. */
export class RowTable {
  readonly #cells = new Map<string, Map<string, string>>();

  /** Runs a row and notes how it went. */
  async record(row: Pick<Row, "input" | "answer">, topology: string, run: () => Promise<number>): Promise<void> {
    const name = `${row.input} → ${row.answer}`;
    const cells = this.#cells.get(name) ?? new Map<string, string>();
    this.#cells.set(name, cells);
    cells.set(topology, "FAILED");
    cells.set(topology, `as told (${await run()})`);
  }

  print(): void {
    const names = [...this.#cells.keys()];
    const topologies = [...new Set([...this.#cells.values()].flatMap((cells) => [...cells.keys()]))];
    const table = [
      ["", ...topologies],
      ...names.map((name) => [name, ...topologies.map((at) => this.#cells.get(name)?.get(at) ?? "–")]),
    ];
    const widths = ["", ...topologies].map((_, column) =>
      Math.max(...table.map((cells) => (cells[column] ?? "").length)),
    );
    console.log();
    for (const cells of table) console.log(`  ${cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join("  ")}`);
    console.log();
  }
}
