import { sql } from "../sql.ts";
import type { EventLog, LogEntry, Position, Store } from "../store.ts";
import type { Reading, Unit, Work } from "../unit.ts";
import { PruneWindow } from "./prune-window.ts";

/** Rows deleted in one unit of work: pruning a long log never delays others for long. */
const PRUNE_ROWS = 1_000;

const COLUMNS = sql`seq, epoch, previous_epoch AS "previousEpoch", event`;
const FLOOR = sql<{ seq: number | null }>`SELECT min(seq) AS seq FROM outbox`;

/** The newest row's position. */
export const HEAD = sql<Position>`SELECT epoch, seq FROM outbox ORDER BY seq DESC LIMIT 1`;

/** At most so many rows after this number, oldest first. */
export function rowsAfter(seq: number, limit: number) {
  return sql<LogEntry>`SELECT ${COLUMNS} FROM outbox WHERE seq > ${seq} ORDER BY seq LIMIT ${limit}`;
}

export interface StoredLogOptions extends Pick<Store, "read" | "write"> {
  /** See `PruneWindowOptions`. */
  readonly settledNow: () => number;
}

/** The module's own log in the table `outbox`, which whoever reads it asks for alike in each engine; how a row gets there is the engine's. */
export class StoredLog implements EventLog {
  readonly #options: StoredLogOptions;
  readonly #listeners = new Set<(entries: readonly LogEntry[]) => void>();
  readonly #window: PruneWindow;

  constructor(options: StoredLogOptions) {
    this.#options = options;
    this.#window = new PruneWindow(options);
  }

  head(): Promise<Position | undefined> {
    return this.read((reading) => reading.get(HEAD));
  }

  async floor(): Promise<number | undefined> {
    return (await this.read((reading) => reading.get(FLOOR)))?.seq ?? undefined;
  }

  readAfter(seq: number, limit: number): Promise<LogEntry[]> {
    return this.read((reading) => reading.all(rowsAfter(seq, limit)));
  }

  entry(seq: number): Promise<LogEntry | undefined> {
    return this.read((reading) => reading.get(sql<LogEntry>`SELECT ${COLUMNS} FROM outbox WHERE seq = ${seq}`));
  }

  prunable(lowest: number, windowMs: number): Promise<number> {
    return this.#window.look(lowest, windowMs);
  }

  async prune(seq: number): Promise<void> {
    while ((await this.#options.write((unit) => pruneSome(unit, seq))) === PRUNE_ROWS);
  }

  onAppended(listener: (entries: readonly LogEntry[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks at the log. */
  protected read<T>(work: (reading: Reading) => Work<T>): Promise<T> {
    return this.#options.read(work);
  }

  /** Tells the listeners of rows that are on disk now. What a listener throws harms nobody. */
  protected tell(entries: readonly LogEntry[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(entries);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}

function* pruneSome(unit: Unit, below: number): Work<number> {
  return yield* unit.run(
    sql`DELETE FROM outbox WHERE seq < ${below} AND seq < (SELECT max(seq) FROM outbox)
      AND seq < (SELECT min(seq) FROM outbox) + ${PRUNE_ROWS}`,
  );
}
