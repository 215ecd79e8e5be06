import { median, medianInterval, quantile } from "./quantile.ts";
import type { Measured } from "./shop.ts";

/** A table in Markdown, its columns aligned and none of them empty: a page shows it, and so does a terminal. */
export function table([titles = [], ...lines]: readonly (readonly string[])[]): string {
  const used = titles.map((_, column) => lines.some((cells) => cells[column] !== ""));
  const [head = [], ...body] = [titles, ...lines].map((cells) => cells.filter((_, column) => used[column]));
  const rows = [head, ...body];
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, at) => (at === 0 ? (cells[at] ?? "").padEnd(width) : (cells[at] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `|${widths.map((width, at) => (at === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...body.map(line)].join("\n");
}

/** The median of ratios of one round each, and between which of them it lies with 95 %. */
export function ratio(figures: readonly number[], references: readonly number[], digits = 2): string {
  if (figures === references) return "1";
  const ratios = figures.map((figure, round) => figure / (references[round] ?? Number.NaN));
  const [low, high] = medianInterval(ratios).map((each) => each.toFixed(digits));
  return `${median(ratios).toFixed(digits)} (${low}–${high})`;
}

/** Of latencies in milliseconds, in whatever order. */
export function latency(latenciesMs: readonly number[], share: number): number {
  return quantile(
    latenciesMs.toSorted((a, b) => a - b),
    share,
  );
}

/** Processor time of all processes together, for each answer of a round, in microseconds. */
export function cpuOf({ cpuMicros }: Measured): number {
  return sum([...cpuMicros.values()]);
}

/** The same over all rounds, since one may be shorter than what the kernel counts in; and of each process, where there are several. */
export function cpuCells(rounds: readonly Measured[]): [all: string, byProcess: string] {
  const mean = (figure: (measured: Measured) => number) => (sum(rounds.map(figure)) / rounds.length).toFixed(0);
  const names = [...(rounds[0]?.cpuMicros.keys() ?? [])];
  const byProcess = names.map((name) => `${name} ${mean(({ cpuMicros }) => cpuMicros.get(name) ?? 0)}`).join(" · ");
  return [mean(cpuOf), names.length < 2 ? "" : byProcess];
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}
