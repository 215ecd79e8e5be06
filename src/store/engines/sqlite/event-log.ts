import type { Span } from "../../../base/span.ts";
import type { EventDraft } from "../../../contract/event.ts";
import { draftEvent } from "../../log/cloud-events.ts";
import { HEAD, StoredLog, type StoredLogOptions } from "../../log/stored-log.ts";
import { sql } from "../../sql.ts";
import type { LogEntry } from "../../store.ts";
import type { Statements } from "./statements.ts";

export interface EventLogOptions extends StoredLogOptions {
  readonly statements: Statements;
  /** The module: events are of the source `/<name>`. */
  readonly name: string;
  /** Names this opening of the database: a restore, which needs a closed one, shows in every row after it. */
  readonly epoch: string;
  readonly now: () => number;
}

/** The module's own log: the outbox table, and what the running transaction has added to it. */
export class SqliteEventLog extends StoredLog {
  readonly #options: EventLogOptions;
  #added: LogEntry[] = [];
  /** The spans of sampled rows among those, by number: an event is published when it is committed. */
  readonly #publishing = new Map<number, Span>();

  constructor(options: EventLogOptions) {
    super(options);
    this.#options = options;
  }

  /** Adds a row to the running transaction. Nobody else writes before it ends, so its last row is the log's. */
  append(draft: EventDraft): void {
    const { statements, name, epoch, now } = this.#options;
    const last = this.#added.at(-1) ?? statements.get(HEAD);
    const seq = (last?.seq ?? 0) + 1;
    const previousEpoch = last?.epoch ?? "";
    const { event, span } = draftEvent(name, draft, now());
    if (span !== undefined) this.#publishing.set(seq, span);
    statements.run(
      sql`INSERT INTO outbox (seq, epoch, previous_epoch, event) VALUES (${seq}, ${epoch}, ${previousEpoch}, ${event})`,
    );
    this.#added.push({ seq, epoch, previousEpoch, event });
  }

  /** How many rows the running transaction has added. */
  mark(): number {
    return this.#added.length;
  }

  /** Forgets the rows added since the mark, which were rolled back. */
  undo(mark: number): void {
    if (this.#publishing.size > 0) this.#published(this.#added.slice(mark), "rolled-back");
    this.#added.length = mark;
  }

  /** Tells the listeners of the rows that are on disk now. */
  committed(): void {
    if (this.#added.length === 0) return;
    const entries = this.#added;
    this.#added = [];
    if (this.#publishing.size > 0) this.#published(entries, "ok");
    this.tell(entries);
  }

  #published(entries: readonly LogEntry[], status: string): void {
    for (const { seq } of entries) {
      this.#publishing.get(seq)?.end(status);
      this.#publishing.delete(seq);
    }
  }
}
