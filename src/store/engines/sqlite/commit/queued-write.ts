import type { StatementGroup } from "../../../statement-spans.ts";
import type { Unit, Work } from "../../../unit.ts";
import type { SqliteUnit } from "../sqlite-unit.ts";

/** A unit of work that waits for its group, and what came of it. */
export class QueuedWrite {
  readonly #unit: SqliteUnit;
  readonly #work: (unit: Unit) => Work<unknown>;
  readonly #resolve: (result: unknown) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #span: StatementGroup | undefined;
  #outcome: unknown;
  #failed = false;

  constructor(
    unit: SqliteUnit,
    work: (unit: Unit) => Work<unknown>,
    resolve: (result: unknown) => void,
    reject: (reason: unknown) => void,
    span: StatementGroup | undefined,
  ) {
    this.#unit = unit;
    this.#work = work;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#span = span;
  }

  /** @throws whatever the work throws */
  run(): void {
    this.#outcome =
      this.#span === undefined
        ? this.#unit.runToEnd(this.#work)
        : this.#span.run(() => this.#unit.runToEnd(this.#work));
  }

  /** What it comes to in place of what it answered. */
  failed(error: unknown): void {
    this.#failed = true;
    this.#outcome = error;
  }

  /** Tells whoever asked for it; what it answered is on disk. */
  settle(): void {
    this.#span?.end(this.#failed ? this.#outcome : undefined);
    if (this.#failed) {
      this.#reject(this.#outcome);
    } else {
      this.#unit.committed();
      this.#resolve(this.#outcome);
    }
  }
}
