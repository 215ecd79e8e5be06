import { dialects, type Query, sql } from "../sql.ts";
import type { Store } from "../store.ts";

export interface PruneWindowOptions {
  /** See `createSettledClock`: a row that goes too early is lost to whoever is restored from a backup. */
  readonly settledNow: () => number;
  readonly read: Store["read"];
  readonly write: Store["write"];
}

/** What is known: nobody needs rows below `prunable`; since `since_ms`, last seen at `seen_ms`, none below `lowest`. */
interface Kept {
  readonly prunable: number;
  readonly lowest: number;
  readonly since_ms: number;
  readonly seen_ms: number;
}

const FIND = sql<Kept>`SELECT prunable, lowest, since_ms, seen_ms FROM prune_window`;

/** The lower and the higher of what is kept and what is told now. */
const LOWER = dialects({
  sqlite: sql`min(kept.lowest, excluded.lowest)`,
  postgres: sql`least(kept.lowest, excluded.lowest)`,
});
const LATER = dialects({
  sqlite: sql`max(kept.seen_ms, excluded.seen_ms)`,
  postgres: sql`greatest(kept.seen_ms, excluded.seen_ms)`,
});

/** Remembers the lowest positions of subscribers over a window of time, also from one start to the next. */
export class PruneWindow {
  readonly #options: PruneWindowOptions;

  constructor(options: PruneWindowOptions) {
    this.#options = options;
  }

  /** See `EventLog.prunable`. */
  async look(lowest: number, windowMs: number): Promise<number> {
    const nowMs = this.#options.settledNow();
    const kept = await this.#options.read((reading) => reading.get(FIND));
    if (kept !== undefined && !isNews(kept, lowest, nowMs, windowMs)) return kept.prunable;
    const advanced = this.#options.write((unit) => unit.get(advance(lowest, nowMs, windowMs)));
    // Without it the window only gets longer.
    return (await advanced.catch(() => undefined))?.prunable ?? 0;
  }
}

/** Spares most looks the write. */
function isNews({ lowest, since_ms, seen_ms }: Kept, lowestNow: number, nowMs: number, windowMs: number): boolean {
  return lowestNow < lowest || nowMs - since_ms >= windowMs || Math.abs(nowMs - seen_ms) >= windowMs / 16;
}

/**
 * One statement, since other processes look as well. Nobody knows what a subscriber reported while nobody looked, nor for how long that
 * was if the clock was set back: then the window begins anew. Another process may look a moment earlier than it is kept.
 */
function advance(lowest: number, nowMs: number, windowMs: number): Query<Pick<Kept, "prunable">> {
  const isUnknown = sql`(excluded.seen_ms - kept.seen_ms NOT BETWEEN ${-Math.floor(windowMs / 16)} AND ${Math.floor(windowMs / 4)})`;
  const hasPassed = sql`(excluded.since_ms - kept.since_ms >= ${windowMs})`;
  return sql`INSERT INTO prune_window AS kept (id, prunable, lowest, since_ms, seen_ms) VALUES (1, 0, ${lowest}, ${nowMs}, ${nowMs})
    ON CONFLICT (id) DO UPDATE SET
      prunable = CASE WHEN ${isUnknown} THEN 0 WHEN ${hasPassed} THEN ${LOWER} ELSE kept.prunable END,
      lowest = CASE WHEN ${isUnknown} OR ${hasPassed} THEN excluded.lowest ELSE ${LOWER} END,
      since_ms = CASE WHEN ${isUnknown} OR ${hasPassed} THEN excluded.since_ms ELSE kept.since_ms END,
      seen_ms = CASE WHEN ${isUnknown} THEN excluded.seen_ms ELSE ${LATER} END
    RETURNING prunable`;
}
