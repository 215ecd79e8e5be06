import type { Contract, EventData } from "../contract/contract.ts";
import type { CloudEvent } from "../contract/event.ts";
import type { UnitOfWork } from "../store/store.ts";

/** What a module does with the events of one publisher. */
export interface Subscription {
  /** The name of the module that publishes. */
  readonly publisher: string;
  /**
   * Applies one event inside the unit of work that moves the cursor beyond it. Synchronous: the effect is
   * in this module's own database, and what it answers is an event of its own.
   * @throws when the event cannot be applied: after five tries it becomes a dead letter
   */
  apply(unit: UnitOfWork, event: CloudEvent): void;
}

type Appliers<C extends Contract> = {
  readonly [T in keyof C["events"]]?: (unit: UnitOfWork, event: CloudEvent<EventData<C, T>>) => void;
};

/**
 * Subscribes to what a contract publishes. Events of other types are passed over; members of the data
 * that this code does not know yet are dropped, so that a publisher may add some.
 */
export function subscribeTo<C extends Contract>(contract: C, appliers: Appliers<C>): Subscription {
  return {
    publisher: contract.name,
    apply(unit, event) {
      const schema = contract.events[event.type];
      const applier = appliers[event.type as keyof C["events"]];
      if (schema === undefined || applier === undefined) return;
      applier(unit, { ...event, data: schema.parse(event.data) as never });
    },
  };
}
