import { Problem } from "../../base/problem.ts";
import { deadLetters } from "../../call/dead-letters.ts";
import type { Fault } from "../../call/faults.ts";
import type { HandlersOf } from "../../contract/contract.ts";
import { type Begin, beginning } from "../../contract/in-time.ts";
import { pageOf } from "../../contract/schemas.ts";
import { isEnvironmentFault } from "../../store/environment-fault.ts";
import type { DeadLetter, Store } from "../../store/store.ts";
import type { Subscription } from "../subscription.ts";
import { withPoison } from "./poison.ts";
import { traceApplied } from "./trace-applied.ts";

export interface DeadLetterHandlersOptions {
  readonly store: Store;
  readonly subscriptions: readonly Subscription[];
  /** Injected faults: poison by `<subscriber>:<event type>` fails a replay too. */
  readonly faults?: ReadonlyMap<string, Fault> | undefined;
}

/** What a module does with its dead letters: the same for all, since events are applied the same way in all. */
export function createDeadLetterHandlers(options: DeadLetterHandlersOptions): HandlersOf<typeof deadLetters> {
  const { store, subscriptions, faults } = options;
  const { cursors } = store;
  const replayable = new Map(subscriptions.map((each) => [each.publisher, withPoison(store.name, each, faults)]));

  /** The event applies in the unit of work that takes its letter out: once, however many replay it, and never lost. */
  function replay({ id, publisher }: DeadLetter, begin: Begin): Promise<DeadLetter | undefined> {
    const subscription = replayable.get(publisher);
    return traceApplied(store.name, publisher, (apply) =>
      store.write(function* (unit) {
        begin();
        if (subscription === undefined) throw new Error(`${store.name} does not subscribe to ${publisher} any more`);
        const letter = yield* cursors.unbury(unit, id);
        if (letter !== undefined) yield* apply(letter.event, subscription.apply(unit, letter.event));
        return letter;
      }),
    );
  }

  return {
    async listDeadLetters({ cursor, limit }) {
      const letters = await cursors.deadLetters(cursor, limit + 1);
      return pageOf(
        letters.map((letter) => describe(letter, store.name)),
        limit,
      );
    },
    async replayDeadLetter({ id }, ctx) {
      const letter = found(await cursors.deadLetter(id));
      const replayed = await replay(letter, beginning(ctx)).catch(async (error: unknown) => {
        if (isEnvironmentFault(error)) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        await store.write((unit) => cursors.failAgain(unit, id, reason));
        throw deadLetters.problem("replay-failed", `The event failed again: ${reason}`, { cause: error });
      });
      found(replayed);
      return {};
    },
    async discardDeadLetter({ id }, ctx) {
      const begin = beginning(ctx);
      const discarded = await store.write(function* (unit) {
        begin();
        return yield* cursors.unbury(unit, id);
      });
      found(discarded);
      return {};
    },
  };
}

function found(letter: DeadLetter | undefined): DeadLetter {
  if (letter === undefined) throw new Problem("not-found", "There is no such dead letter.");
  return letter;
}

function describe({ id, event, error, attempts, failedAt }: DeadLetter, module: string) {
  return { id, module, event: { ...event }, error, attempts, failed_at: failedAt };
}
