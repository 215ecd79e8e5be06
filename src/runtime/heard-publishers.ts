import type { Subscription } from "../bus/subscription.ts";
import { StartRefusal } from "../modules/module.ts";

/**
 * Holds what the list of modules says a module hears against what it subscribes to: by the list, other processes know whom a log has
 * to be kept for. One that is not listed would lose events as soon as a Redis is between, and one that is listed in vain keeps the log for ever.
 * @throws StartRefusal that says what the list should say
 */
export function requireHeardPublishers(
  name: string,
  hears: readonly string[],
  subscriptions: readonly Pick<Subscription, "publisher">[],
): void {
  const publishers = [...new Set(subscriptions.map(({ publisher }) => publisher))];
  if (publishers.length === hears.length && publishers.every((publisher) => hears.includes(publisher))) return;
  const list = (names: readonly string[]) => `[${names.map((each) => `"${each}"`).join(", ")}]`;
  throw new StartRefusal(
    `${name} subscribes to ${list(publishers)}, but src/runtime/modules.ts says hears: ${list(hears)}. Make it hears: ${list(publishers)}.`,
  );
}
