import { systemClock } from "../../../base/clock.ts";
import { backoffMs, createPace } from "../../../base/pace.ts";
import { StoredLog, type StoredLogOptions } from "../../log/stored-log.ts";
import type { LogEntry, Position } from "../../store.ts";
import type { Reading, Work } from "../../unit.ts";
import { despiteConflicts } from "./postgres-fault.ts";
import { hasNews, numberAndRead, type Pass } from "./sequencer.ts";
import type { Session, Sessions } from "./sessions.ts";

/** How often to look for what others have committed or numbered. */
const POLL_MS = 250;

/** How soon to look again while another process numbers. */
const AGAIN_MS = 2;

export interface PostgresEventLogOptions extends StoredLogOptions {
  readonly sessions: Sessions;
  /** The newest row: listeners are told of those after it. */
  readonly head: Position;
  /** Told in words that rows are gone which were there. */
  readonly onForgotten: (told: string) => void;
  /** Told what came of each look at the server, undefined where it went well. */
  readonly onLook: (error?: unknown) => void;
}

/**
 * The module's own log: the outbox table. Rows get their numbers after their commit, from whichever process comes first; this one looks
 * when it has committed some itself, and now and then. Whoever reads the log here finds in it all that was committed here before.
 */
export class PostgresEventLog extends StoredLog {
  readonly #options: PostgresEventLogOptions;
  readonly #pace = createPace(systemClock);
  /** The newest row that the listeners know. */
  #told: Position;
  /** How many units of work have appended here, and of how many all rows have their numbers. */
  #committed = 0;
  #numbered = 0;
  #waiting: { readonly upTo: number; readonly go: () => void }[] = [];
  readonly #ended: Promise<void>;

  constructor(options: PostgresEventLogOptions) {
    super(options);
    this.#options = options;
    this.#told = options.head;
    this.#ended = this.#run();
  }

  /** A unit of work that appended is committed. */
  appended(): void {
    this.#committed += 1;
    this.#pace.wake();
  }

  override async prune(seq: number): Promise<void> {
    await this.#caughtUp();
    return super.prune(seq);
  }

  /** Gives numbers to what was committed here, if it can, and ends. */
  async close(): Promise<void> {
    await this.#caughtUp();
    this.#pace.stop();
    await this.#ended;
  }

  protected override async read<T>(work: (reading: Reading) => Work<T>): Promise<T> {
    await this.#caughtUp();
    return super.read(work);
  }

  /** Waits until all that was committed here has its number, or the server is away. */
  #caughtUp(): Promise<void> {
    if (this.#numbered >= this.#committed || this.#pace.stopped) return Promise.resolve();
    return new Promise((go) => this.#waiting.push({ upTo: this.#committed, go }));
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#pace.stopped; ) {
      const upTo = this.#committed;
      try {
        const isPartial = await this.#pass();
        failures = 0;
        this.#options.onLook();
        if (isPartial) await this.#pace.sleep(AGAIN_MS);
        else {
          this.#letGo(upTo);
          if (this.#committed === upTo) await this.#pace.wait(POLL_MS);
        }
      } catch (error) {
        this.#letGo(this.#committed);
        if (this.#pace.stopped) return;
        this.#options.onLook(error);
        failures += 1;
        await this.#pace.sleep(backoffMs(failures)).catch(() => undefined);
      }
    }
  }

  /** @returns whether there is more to do at once */
  async #pass(): Promise<boolean> {
    const { sessions } = this.#options;
    const pass = await despiteConflicts(() => sessions.use((session) => this.#look(session)));
    if (pass === undefined) return false;
    const { entries, isPartial, before } = pass;
    if (before < this.#told.seq) {
      this.#options.onForgotten(`ends at row ${before}, and ended at ${this.#told.seq}`);
      this.#told = { epoch: "", seq: before };
      return true;
    }
    const [first] = entries;
    const newest = entries.at(-1);
    if (first === undefined || newest === undefined) return isPartial;
    if (this.#isForgotten(first)) this.#options.onForgotten(`has another row ${this.#told.seq} than it had`);
    this.#told = newest;
    this.tell(entries);
    return isPartial;
  }

  /** @returns undefined where nothing was committed here since the last pass, and nothing elsewhere either */
  async #look(session: Session): Promise<Pass | undefined> {
    const { seq } = this.#told;
    const isPoll = this.#numbered === this.#committed;
    return isPoll && !(await hasNews(session, seq)) ? undefined : numberAndRead(session, seq);
  }

  /** Another server has taken over, or one was restored, whose log ended before the newest row, and may have gone on. */
  #isForgotten({ previousEpoch }: LogEntry): boolean {
    return this.#told.epoch !== "" && previousEpoch !== this.#told.epoch;
  }

  #letGo(upTo: number): void {
    this.#numbered = Math.max(this.#numbered, upTo);
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((each) => each.upTo > upTo);
    for (const each of waiting) if (each.upTo <= upTo) each.go();
  }
}
