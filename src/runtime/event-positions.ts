import type { EventPositions } from "../health/event-status.ts";
import type { ServedModule } from "./compose.ts";

/** How far the modules of this process are with their events, without those whose database cannot be read now. */
export async function eventPositions(served: readonly ServedModule[]): Promise<EventPositions> {
  const published: Record<string, number> = {};
  const applied: Record<string, Record<string, number>> = {};
  for (const module of served) {
    try {
      published[module.name] = module.store.log.head()?.seq ?? 0;
      const reached = await positionsOf(module);
      if (reached.length > 0) applied[module.name] = Object.fromEntries(reached);
    } catch {
      // How they are is told by their light; nothing is known of how far they are.
    }
  }
  return { published, applied };
}

function positionsOf({ store, module }: ServedModule): Promise<[publisher: string, number: number][]> {
  return store.read(function* (reading) {
    const reached: [publisher: string, number: number][] = [];
    for (const { publisher } of module.subscriptions) {
      const [last] = yield* store.cursors.positions(reading, publisher);
      reached.push([publisher, last?.seq ?? 0]);
    }
    return reached;
  });
}
