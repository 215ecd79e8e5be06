/** How a call ended. */
export type Result = "done" | "not-begun" | "unknown";

/** One call of a client. */
export interface Call {
  /** What it writes. */
  readonly row: number;
  readonly deadlineMs: number;
  /** How long it waits for its row to be decided. */
  readonly waitMs: number;
}

/** A call as one process has it, which may send it on. */
export interface Leg {
  readonly call: Call;
  /** Whether the row is written, and only its decision is waited for. */
  readonly isWritten: boolean;
  /** Whoever sent it is told once; later answers are for nobody. */
  answer(result: Result): void;
}
