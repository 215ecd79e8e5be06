import type { Flow } from "./flow.ts";

/** When each step is shown, and by how much that is slower than it was. */
export interface Schedule {
  /** For each step, how long it stays before the next. */
  readonly holdsMs: readonly number[];
  /** The shown time divided by the real time. */
  readonly slowedBy: number;
}

/** A step is shown at least this long, or nobody would see it, and at most that long, or nobody would wait. */
const SHORTEST_MS = 650;
const LONGEST_MS = 2_200;

/** Milliseconds on the screen for each real one, between these two bounds. */
const STRETCH = 200;

/** Plans the showing of a flow. Speed 2 shows it in half the time. */
export function planPlayback(flow: Pick<Flow, "steps" | "totalMs">, speed: number): Schedule {
  const starts = flow.steps.map((step) => step.startMs);
  const holdsMs = starts.map((start, index) => {
    const realMs = Math.max(0, (starts[index + 1] ?? flow.totalMs) - start);
    return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, realMs * STRETCH)) / speed;
  });
  const shownMs = holdsMs.reduce((sum, hold) => sum + hold, 0);
  return { holdsMs, slowedBy: flow.totalMs > 0 ? shownMs / flow.totalMs : 1 };
}

/** `slowed ×200`: two digits that matter. */
export function formatSlowed(slowedBy: number): string {
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, slowedBy))) - 1);
  return slowedBy < 10 ? `slowed ×${slowedBy.toFixed(1)}` : `slowed ×${Math.round(slowedBy / digits) * digits}`;
}
