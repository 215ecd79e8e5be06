import { latency, table } from "../../bench/table.ts";
import type { Outcome } from "./traffic.ts";

/** What a customer would call slow. */
export const SLOW_MS = 2_000;

/** How requests of each kind were answered, as a table; times in milliseconds. */
export function describeOutcomes(outcomes: readonly Outcome[]): string {
  const kinds = Map.groupBy(outcomes, ({ kind }) => kind);
  const lines = [...kinds].sort(([one], [other]) => one.localeCompare(other)).map(([kind, some]) => lineOf(kind, some));
  return table([["", "requests", "failed", "p50", "p99", "slowest"], ...lines, lineOf("all", outcomes)]);
}

function lineOf(name: string, outcomes: readonly Outcome[]): string[] {
  const times = outcomes.map(({ tookMs }) => tookMs);
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length;
  return [
    name,
    ...[outcomes.length, failed, latency(times, 0.5), latency(times, 0.99), latency(times, 1)].map((n) => n.toFixed(0)),
  ];
}
