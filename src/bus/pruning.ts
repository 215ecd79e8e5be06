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
export async function lowestPosition(log: EventLog, positions: readonly (Position | undefined)[]): Promise<number> {
  const reached = Promise.all(positions.map((position) => reachedIn(log, position)));
  const [head, all] = await Promise.all([log.head(), reached]);
  return Math.min(head?.seq ?? 0, ...all);
}

/** How many rows of a log a subscriber has still to apply, given the last that it has; all, while none is known. */
export async function rowsAfter(log: EventLog, position: Position | undefined): Promise<number> {
  const [floor = 1, reached] = await Promise.all([log.floor(), reachedIn(log, position)]);
  return ((await log.head())?.seq ?? 0) - Math.max(floor - 1, reached);
}

async function reachedIn(log: EventLog, position: Position | undefined): Promise<number> {
  return position !== undefined && (await log.entry(position.seq))?.epoch === position.epoch ? position.seq : 0;
}
