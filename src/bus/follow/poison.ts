import type { Fault } from "../../call/faults.ts";
import type { Subscription } from "../subscription.ts";

/** The subscription as the injected faults have it: every try of applying a poisoned type of event fails. */
export function withPoison(
  subscriber: string,
  subscription: Subscription,
  faults: ReadonlyMap<string, Fault> | undefined,
): Subscription {
  if (faults === undefined) return subscription;
  return {
    ...subscription,
    *apply(unit, event) {
      if (faults.get(`${subscriber}:${event.type}`)?.kind === "poison") throw new Error("poison: an injected fault");
      yield* subscription.apply(unit, event);
    },
  };
}
