import type { HandlersOf } from "../contract/contract.ts";
import type { deadLetters } from "../contract/dead-letters.ts";
import type { Fault } from "../contract/faults.ts";
import { Problem } from "../contract/problem.ts";
import { pageOf } from "../contract/schemas.ts";
import { isEnvironmentFault } from "../store/environment-fault.ts";
import type { DeadLetter, Store } from "../store/store.ts";
import { withPoison } from "./poison.ts";
import type { Subscription } from "./subscription.ts";
import { traceApplied } from "./trace-applied.ts";

export interface DeadLetterHandlersOptions {
  readonly store: Store;
  readonly subscriptions: readonly Subscription[];
  /** Injected faults: poison by `<subscriber>:<event type>` fails a replay too. */
  readonly faults?: ReadonlyMap<string, Fault> | undefined;
}

/** What every module does with its dead letters: the same for all, since events are applied the same way in all. */
export function createDeadLetterHandlers(options: DeadLetterHandlersOptions): HandlersOf<typeof deadLetters> {
  const { store, subscriptions, faults } = options;
  const { cursors } = store;
  const replayable = new Map(subscriptions.map((each) => [each.publisher, withPoison(store.name, each, faults)]));

  /** The event applies in the unit of work that takes its letter out: never twice, and never lost. */
  async function replay({ id, publisher }: DeadLetter): Promise<void> {
    const subscription = replayable.get(publisher);
    if (subscription === undefined) throw new Error(`${store.name} does not subscribe to ${publisher} any more`);
    await traceApplied(store.name, publisher, (apply) =>
      store.write((unit) => {
        const { event } = cursors.unbury(unit, id) ?? missing();
        apply(event, () => subscription.apply(unit, event));
      }),
    );
  }

  return {
    listDeadLetters({ cursor, limit }) {
      return pageOf(
        cursors.deadLetters(cursor, limit + 1).map((letter) => describe(letter, store.name)),
        limit,
      );
    },
    async replayDeadLetter({ id }) {
      const letter = cursors.deadLetter(id) ?? missing();
      try {
        await replay(letter);
      } catch (error) {
        if (isEnvironmentFault(error) || isMissing(error)) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        await store.write((unit) => cursors.failAgain(unit, id, reason));
        throw new Problem("replay-failed", `The event failed again: ${reason}`, { cause: error });
      }
      return {};
    },
    async discardDeadLetter({ id }) {
      await store.write((unit) => cursors.unbury(unit, id) ?? missing());
      return {};
    },
  };
}
