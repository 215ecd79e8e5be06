import type { EventLog, Position } from "../store/store.ts";

/** A week: backups may be as old as two days. */
export const DEFAULT_PRUNE_WINDOW_MS = 7 * 24 * 3_600_000;

/**
 * The row up to which all subscribers have applied a log. A subscriber whose position is not known, or names a row
 * that is not in the log, may need every row there is.
 *
 * @param positions of the subscribers known from configuration, undefined where none was reported
 * @returns the row's number, 0 when every row may be needed
 */
export function lowestPosition(log: EventLog, positions: readonly (Position | undefined)[]): number {
  return Math.min(log.head()?.seq ?? 0, ...positions.map((position) => reachedIn(log, position)));
}

/** How many rows of a log a subscriber has still to apply, given the last that it has; all, while none is known. */
export function rowsAfter(log: EventLog, position: Position | undefined): number {
  const beforeFloor = (log.floor() ?? 1) - 1;
  return (log.head()?.seq ?? 0) - Math.max(beforeFloor, reachedIn(log, position));
}

function reachedIn(log: EventLog, position: Position | undefined): number {
  return position !== undefined && log.entry(position.seq)?.epoch === position.epoch ? position.seq : 0;
}
