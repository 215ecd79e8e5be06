import { z } from "zod";
import type { BusStatus } from "../bus/bus.ts";

export const light = z.enum(["running", "degraded", "down"]);

export const busStatus = z.object({
  kind: z.enum(["memory", "redis"]),
  status: light,
  detail: z.string().exactOptional(),
});

/** How far logs and those who read them are. */
export const eventPositions = z.object({
  /** The number of the newest event of each publisher. */
  published: z.record(z.string(), z.int()),
  /** The number of the last event applied: subscriber → publisher → number. */
  applied: z.record(z.string(), z.record(z.string(), z.int())),
});

export type EventPositions = z.output<typeof eventPositions>;

/** Events that wait: subscriber → publisher → count. */
export type Backlog = EventPositions["applied"];

/** What one process tells of its bus and its events. */
export interface EventStatus {
  readonly bus: BusStatus;
  readonly events: EventPositions;
}

export function mergePositions(all: readonly EventPositions[]): EventPositions {
  return {
    published: Object.assign({}, ...all.map(({ published }) => published)),
    applied: Object.assign({}, ...all.map(({ applied }) => applied)),
  };
}

/** What several tell of the same modules: of each log and each subscriber the furthest. */
export function newestPositions(all: readonly EventPositions[]): EventPositions {
  const names = (records: readonly object[]) => new Set(records.flatMap(Object.keys));
  const newest = (records: readonly Readonly<Record<string, number>>[]) =>
    Object.fromEntries(
      Array.from(names(records), (name) => [name, Math.max(...records.map((record) => record[name] ?? 0))]),
    );
  const applied = all.map((each) => each.applied);
  return {
    published: newest(all.map(({ published }) => published)),
    applied: Object.fromEntries(
      Array.from(names(applied), (subscriber) => [subscriber, newest(applied.map((each) => each[subscriber] ?? {}))]),
    ),
  };
}

/** @returns only what is known: a publisher that does not answer may have published anything */
export function countBacklog({ published, applied }: EventPositions): Backlog {
  const behind = (reached: Readonly<Record<string, number>>) =>
    Object.entries(reached).flatMap(([publisher, number]) => {
      const newest = published[publisher];
      return newest === undefined ? [] : [[publisher, Math.max(0, newest - number)] as const];
    });
  return Object.fromEntries(
    Object.entries(applied).map(([subscriber, reached]) => [subscriber, Object.fromEntries(behind(reached))]),
  );
}

const WORST_FIRST = light.options.toReversed();

/**
 * The bus as all processes together find it: as bad as for the one that finds it worst, with every reason.
 * @param own as this process finds it
 * @param others as others do, by the name of a module there, which their reasons begin with
 */
export function gatherBus(own: BusStatus, others: readonly (readonly [name: string, bus: BusStatus])[]): BusStatus {
  const all = [own, ...others.map(([, bus]) => bus)];
  const status = WORST_FIRST.find((each) => all.some((bus) => bus.status === each)) ?? own.status;
  const reasons = new Set(own.detail === undefined ? [] : [own.detail]);
  for (const [name, { detail }] of others) {
    if (detail !== undefined && !reasons.has(detail))
      reasons.add(detail.startsWith(name) ? detail : `${name}: ${detail}`);
  }
  return reasons.size === 0 ? { kind: own.kind, status } : { kind: own.kind, status, detail: [...reasons].join("; ") };
}
