import { sql } from "../../sql.ts";
import type { Store } from "../../store.ts";
import type { Unit, Work } from "../../unit.ts";

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

/** Remembers the lowest positions of subscribers over a window of time, also from one start to the next. */
export class PruneWindow {
  readonly #options: PruneWindowOptions;

  constructor(options: PruneWindowOptions) {
    this.#options = options;
  }

  /** See `EventLog.prunable`. */
  async look(lowest: number, windowMs: number): Promise<number> {
    const kept = await this.#options.read((reading) => reading.get(FIND));
    const nowMs = this.#options.settledNow();
    const next = advance(kept, lowest, nowMs, windowMs);
    const isNews = kept === undefined || next.since_ms !== kept.since_ms || next.lowest !== kept.lowest;
    if (isNews || nowMs - kept.seen_ms >= windowMs / 16) {
      // Without it the window only gets longer.
      this.#options.write((unit) => keep(unit, next)).catch(() => undefined);
    }
    return next.prunable;
  }
}

function advance(kept: Kept | undefined, lowest: number, nowMs: number, windowMs: number): Kept {
  const sinceNow = { lowest, since_ms: nowMs, seen_ms: nowMs };
  // Nobody knows what a subscriber reported while nobody looked, nor for how long that was if the clock was set back.
  if (kept === undefined || nowMs < kept.seen_ms || nowMs - kept.seen_ms > windowMs / 4) {
    return { prunable: 0, ...sinceNow };
  }
  const lowestSince = Math.min(kept.lowest, lowest);
  if (nowMs - kept.since_ms >= windowMs) return { prunable: lowestSince, ...sinceNow };
  return { ...kept, lowest: lowestSince, seen_ms: nowMs };
}

function* keep(unit: Unit, { prunable, lowest, since_ms, seen_ms }: Kept): Work<void> {
  yield* unit.run(
    sql`INSERT INTO prune_window VALUES (1, ${prunable}, ${lowest}, ${since_ms}, ${seen_ms}) ON CONFLICT DO UPDATE SET
      prunable = excluded.prunable, lowest = excluded.lowest, since_ms = excluded.since_ms, seen_ms = excluded.seen_ms`,
  );
}
