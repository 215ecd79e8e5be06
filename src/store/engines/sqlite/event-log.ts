import { randomUUIDv7 } from "node:crypto";
import { beginSpan, type Span } from "../../../base/span.ts";
import { formatTraceparent, parseSampled } from "../../../base/trace.ts";
import type { CloudEvent, EventDraft } from "../../../contract/event.ts";
import { sql } from "../../sql.ts";
import type { EventLog, LogEntry, Position, Store } from "../../store.ts";
import type { Unit, Work } from "../../unit.ts";
import { PruneWindow } from "./prune-window.ts";
import type { Statements } from "./statements.ts";

/** Rows deleted in one unit of work: pruning a long log never delays others for long. */
const PRUNE_ROWS = 1_000;

const COLUMNS = sql`seq, epoch, previous_epoch AS "previousEpoch", event`;
const HEAD = sql<Position>`SELECT epoch, seq FROM outbox ORDER BY seq DESC LIMIT 1`;
const FLOOR = sql<{ seq: number | null }>`SELECT min(seq) AS seq FROM outbox`;

export interface EventLogOptions {
  readonly statements: Statements;
  /** The module: events are of the source `/<name>`. */
  readonly name: string;
  /** Names this opening of the database: a restore, which needs a closed one, shows in every row after it. */
  readonly epoch: string;
  readonly now: () => number;
  /** See `PruneWindowOptions`. */
  readonly settledNow: () => number;
  readonly read: Store["read"];
  readonly write: Store["write"];
}

/** The module's own log: the outbox table, and what the running transaction has added to it. */
export class SqliteEventLog implements EventLog {
  readonly #options: EventLogOptions;
  readonly #listeners = new Set<(entries: readonly LogEntry[]) => void>();
  readonly #window: PruneWindow;
  #added: LogEntry[] = [];
  /** The spans of sampled rows among those, by number: an event is published when it is committed. */
  readonly #publishing = new Map<number, Span>();

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#window = new PruneWindow(options);
  }

  head(): Promise<Position | undefined> {
    return this.#options.read((reading) => reading.get(HEAD));
  }

  async floor(): Promise<number | undefined> {
    return (await this.#options.read((reading) => reading.get(FLOOR)))?.seq ?? undefined;
  }

  readAfter(seq: number, limit: number): Promise<LogEntry[]> {
    return this.#options.read((reading) =>
      reading.all(sql<LogEntry>`SELECT ${COLUMNS} FROM outbox WHERE seq > ${seq} ORDER BY seq LIMIT ${limit}`),
    );
  }

  entry(seq: number): Promise<LogEntry | undefined> {
    return this.#options.read((reading) =>
      reading.get(sql<LogEntry>`SELECT ${COLUMNS} FROM outbox WHERE seq = ${seq}`),
    );
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

  /** Adds a row to the running transaction. Nobody else writes before it ends, so its last row is the log's. */
  append(draft: EventDraft): void {
    const { statements, epoch } = this.#options;
    const last = this.#added.at(-1) ?? statements.get(HEAD);
    const seq = (last?.seq ?? 0) + 1;
    const previousEpoch = last?.epoch ?? "";
    const event = JSON.stringify(this.#envelope(draft, seq));
    statements.run(sql`INSERT INTO outbox VALUES (${seq}, ${epoch}, ${previousEpoch}, ${event})`);
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

  /** Tells the listeners of the rows that are on disk now. What a listener throws harms nobody. */
  committed(): void {
    if (this.#added.length === 0) return;
    const entries = this.#added;
    this.#added = [];
    if (this.#publishing.size > 0) this.#published(entries, "ok");
    for (const listener of this.#listeners) {
      try {
        listener(entries);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }

  #published(entries: readonly LogEntry[], status: string): void {
    for (const { seq } of entries) {
      this.#publishing.get(seq)?.end(status);
      this.#publishing.delete(seq);
    }
  }

  /** The trace that an event carries: below its cause, if that is sampled, the span of its being published. */
  #publish(id: string, type: string, seq: number, cause: string): string {
    const parent = parseSampled(cause);
    if (parent === undefined) return cause;
    const attributes = { "messaging.message.id": id, "quartet.event.type": type };
    const span = beginSpan(parent, { kind: "publish", name: type, service: this.#options.name, attributes });
    this.#publishing.set(seq, span);
    return formatTraceparent(span.context);
  }

  #envelope({ type, subject, data, traceparent }: EventDraft, seq: number): CloudEvent {
    const id = randomUUIDv7(); // a tenth of the cost of the uuid package's, whose order within a millisecond nothing needs here
    return {
      specversion: "1.0",
      id,
      source: `/${this.#options.name}`,
      type,
      subject,
      time: new Date(this.#options.now()).toISOString(),
      datacontenttype: "application/json",
      ...(traceparent === undefined ? undefined : { traceparent: this.#publish(id, type, seq, traceparent) }),
      data,
    };
  }
}

function* pruneSome(unit: Unit, below: number): Work<number> {
  return yield* unit.run(
    sql`DELETE FROM outbox WHERE seq < min(${below}, (SELECT max(seq) FROM outbox))
      AND seq < (SELECT min(seq) FROM outbox) + ${PRUNE_ROWS}`,
  );
}
