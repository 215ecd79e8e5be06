import type { Contract, EventData } from "../contract/contract.ts";
import type { CloudEvent } from "../contract/event.ts";
import type { Unit, Work } from "../store/unit.ts";

/** What a module does with the events of one publisher. */
export interface Subscription {
  /** The name of the module that publishes. */
  readonly publisher: string;
  /** The types of events that it applies, and passes over all others; left out, it takes all. */
  readonly types?: readonly string[];
  /**
   * Applies one event in the unit of work that moves the cursor beyond it: the effect is in this module's own database, and
   * what it answers is an event of its own.
   * @throws when the event cannot be applied: after five tries it becomes a dead letter
   */
  apply(unit: Unit, event: CloudEvent): Work<void>;
}

type Appliers<C extends Contract> = {
  readonly [T in keyof C["events"]]?: (unit: Unit, event: CloudEvent<EventData<C, T>>) => Work<void>;
};

/**
 * Subscribes to what a contract publishes. Events of other types are passed over; members of the data
 * that this code does not know yet are dropped, so that a publisher may add some.
 */
export function subscribeTo<C extends Contract>(contract: C, appliers: Appliers<C>): Subscription {
  return {
    publisher: contract.name,
    types: Object.keys(appliers),
    *apply(unit, event) {
      const schema = contract.events[event.type];
      const applier = appliers[event.type as keyof C["events"]];
      if (schema === undefined || applier === undefined) return;
      yield* applier(unit, { ...event, data: schema.parse(event.data) as never });
    },
  };
}
