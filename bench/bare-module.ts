import { randomBytes, randomUUIDv7 } from "node:crypto";
import type Database from "better-sqlite3";
import { openDatabase } from "./database.ts";

/** An event, as far as the bare program reads one. */
export interface Event {
  readonly type: string;
  /** The trace that it belongs to, W3C Trace Context. */
  readonly traceparent: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Appended {
  readonly seq: number;
  readonly event: Event;
}

/**
 * A database of the bare program, with its log and its cursors. A commit takes all that waits, with one sync; whoever waits is told
 * after it, and then the one module that follows this one's log.
 */
export class BareModule {
  readonly #name: string;
  readonly #epoch = randomBytes(12).toString("base64url");
  readonly #database: Database.Database;
  readonly #insertEvent: Database.Statement;
  readonly #moveCursor: Database.Statement;
  readonly #commit: Database.Transaction<(group: readonly (() => void)[]) => void>;
  readonly #tell: (events: readonly Appended[]) => void;
  #works: (() => void)[] = [];
  #thens: (() => void)[] = [];
  #appended: Appended[] = [];
  #seq = 0;

  /** @param tell is given the events of each commit */
  constructor(name: string, folder: string, tell: (events: readonly Appended[]) => void = () => {}) {
    const database = openDatabase(name, folder);
    this.#name = name;
    this.#tell = tell;
    this.#database = database;
    this.#insertEvent = database.prepare("INSERT INTO outbox VALUES (?, ?, ?, ?)");
    this.#moveCursor = database.prepare(
      `INSERT INTO cursors (publisher, epoch, seq) VALUES (?, ?, ?)
        ON CONFLICT (publisher, epoch) DO UPDATE SET seq = excluded.seq`,
    );
    this.#commit = database.transaction((group) => {
      for (const work of group) work();
    });
  }

  prepare<Params extends unknown[] = unknown[], Row = unknown>(sql: string): Database.Statement<Params, Row> {
    return this.#database.prepare(sql);
  }

  /** Does work in the next commit. @param then called when that is on disk */
  write(work: () => void, then: () => void = () => {}): void {
    this.#works.push(work);
    this.#thens.push(then);
    if (this.#works.length === 1) setImmediate(() => this.#run());
  }

  /** As part of work: adds an event to this module's log. */
  append(type: string, subject: string, data: Event["data"], traceparent: string): void {
    const seq = ++this.#seq;
    const event = {
      specversion: "1.0",
      id: randomUUIDv7(),
      source: `/${this.#name}`,
      type,
      subject,
      time: new Date().toISOString(),
      datacontenttype: "application/json",
      traceparent,
      data,
    };
    this.#insertEvent.run(seq, this.#epoch, seq === 1 ? "" : this.#epoch, JSON.stringify(event));
    this.#appended.push({ seq, event });
  }

  /** As part of work: called when it is on disk. */
  afterCommit(then: () => void): void {
    this.#thens.push(then);
  }

  /** Applies events of another module, and moves the cursor in its log, in one commit. */
  follow(publisher: BareModule, events: readonly Appended[], apply: (event: Event) => void): void {
    this.write(() => {
      for (const { event } of events) apply(event);
      this.#moveCursor.run(publisher.#name, publisher.#epoch, events.at(-1)?.seq);
    });
  }

  #run(): void {
    const works = this.#works;
    this.#works = [];
    this.#commit.immediate(works);
    const [thens, appended] = [this.#thens, this.#appended];
    this.#thens = [];
    this.#appended = [];
    for (const then of thens) then();
    if (appended.length > 0) this.#tell(appended);
  }
}
