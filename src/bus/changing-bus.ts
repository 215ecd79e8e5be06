import { createTurns } from "../base/turns.ts";
import type { Store } from "../store/store.ts";
import type { Bus } from "./bus.ts";
import type { Subscription } from "./subscription.ts";

/** A bus whose way to carry can be replaced while the process serves. */
export interface ChangingBus extends Bus {
  /**
   * Goes on by another bus, which has started, and which nothing has joined yet: what is under way on the one that there is is applied
   * first, as far as it gets within `timeoutMs`. The logs and the cursors are in the stores, so that nothing is lost or doubled between the two.
   */
  change(next: Bus, timeoutMs: number): Promise<void>;
}

interface Listener {
  readonly topic: string;
  readonly listener: (message: unknown) => void;
  off: () => void;
}

export function createChangingBus(first: Bus): ChangingBus {
  let bus = first;
  const inTurn = createTurns();
  const members = new Map<string, { readonly store: Store; readonly subscriptions: readonly Subscription[] }>();
  const listeners = new Set<Listener>();

  return {
    status: () => bus.status(),
    stalled: (module) => bus.stalled(module),
    backlogs: () => bus.backlogs(),
    join(store, subscriptions) {
      members.set(store.name, { store, subscriptions });
      bus.join(store, subscriptions);
    },
    leave(module, timeoutMs) {
      members.delete(module);
      return inTurn("bus", () => bus.leave(module, timeoutMs));
    },
    start: () => bus.start(),
    stop: (timeoutMs) => inTurn("bus", () => bus.stop(timeoutMs)),
    change(next, timeoutMs) {
      return inTurn("bus", async () => {
        const before = bus;
        await before.stop(timeoutMs);
        bus = next;
        for (const entry of listeners) entry.off = next.onBroadcast(entry.topic, entry.listener);
        for (const { store, subscriptions } of members.values()) next.join(store, subscriptions);
      });
    },
    broadcast: (topic, message) => bus.broadcast(topic, message),
    onBroadcast(topic, listener) {
      const entry = { topic, listener, off: bus.onBroadcast(topic, listener) };
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
        entry.off();
      };
    },
  };
}
