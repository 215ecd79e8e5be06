import type { Clock } from "../base/clock.ts";
import type { Report } from "./log-replica.ts";

/** Who of the subscribers of a log is there, told from their reports: each that is made has another beat. */
export interface Attendance {
  /** Looks at the reports there are now. */
  note(reports: ReadonlyMap<string, Report>): void;
  /** The last reports of those who have made one lately; one that was there before the first look tells nothing. */
  present(): Report[];
  /** Whether all of them have. */
  isComplete(): boolean;
}

interface Seen {
  readonly report: Report | undefined;
  /** When it was made, as far as that was seen. */
  readonly madeAtMs: number;
}

/** @param silentMs after which a subscriber that says nothing counts as away, in milliseconds */
export function createAttendance(subscribers: readonly string[], clock: Clock, silentMs: number): Attendance {
  const seen = new Map<string, Seen>();

  function isPresent(name: string): boolean {
    const { report, madeAtMs = Number.NEGATIVE_INFINITY } = seen.get(name) ?? {};
    return report !== undefined && clock.now() - madeAtMs < silentMs;
  }

  return {
    note(reports) {
      for (const name of subscribers) {
        const before = seen.get(name);
        const report = reports.get(name);
        const isNew = before !== undefined && report !== undefined && report.beat !== before.report?.beat;
        const madeAtMs = isNew ? clock.now() : (before?.madeAtMs ?? Number.NEGATIVE_INFINITY);
        seen.set(name, { report, madeAtMs });
      }
    },
    present: () => subscribers.filter(isPresent).flatMap((name) => seen.get(name)?.report ?? []),
    isComplete: () => subscribers.every(isPresent),
  };
}
