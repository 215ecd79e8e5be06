import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { moduleNames } from "../../src/runtime/modules.ts";
import type { Replicated } from "./replicas.ts";
import type { Server } from "./server.ts";

/** How often it is looked; each look takes each server a millisecond, which is not counted. */
const LOOK_EVERY_MS = 100;

/** What was seen of a shop's servers while it worked. */
export interface Seen {
  /** How often connections were seen at what, of those that had something under way: `running`, else what they waited for. */
  readonly at: ReadonlyMap<string, number>;
  /** The most connections at once. */
  readonly connections: number;
  /** The most events that Redis had at once, and the bytes that it then had for them. */
  readonly redis: { readonly events: number; readonly bytes: number };
}

/** What waits for its client has nothing under way on the server. */
const STATES = `SELECT
    CASE WHEN wait_event_type IS NULL THEN 'running' ELSE wait_event_type END AS at,
    state = 'active' AS "isActive"
  FROM pg_stat_activity WHERE application_name LIKE 'quartet %' AND datname = current_database()`;

/** Looks at a shop's servers until told to stop. */
export function watch({ servers, redisUrl }: Replicated): () => Promise<Seen> {
  const redis = new Redis(redisUrl);
  const at = new Map<string, number>();
  let connections = 0;
  let most = { events: 0, bytes: 0 };
  let isOver = false;

  async function look(): Promise<void> {
    const seen = (await Promise.all(servers.map(statesOf))).flat();
    connections = Math.max(connections, seen.length);
    for (const state of seen) if (state.isActive) at.set(state.at, (at.get(state.at) ?? 0) + 1);
    const kept = await keptIn(redis);
    if (kept.events > most.events) most = kept;
  }

  async function goOn(): Promise<void> {
    while (!isOver) {
      await look();
      await sleep(LOOK_EVERY_MS);
    }
  }

  const running = goOn();
  return async () => {
    isOver = true;
    await running;
    redis.disconnect();
    return { at, connections, redis: most };
  };
}

function statesOf(server: Server) {
  return server.ask<{ at: string; isActive: boolean }>(STATES);
}

/** The copies of the logs. */
async function keptIn(redis: Redis): Promise<Seen["redis"]> {
  const kept = { events: 0, bytes: 0 };
  for (const name of moduleNames) {
    const key = `quartet:log:${name}`;
    kept.events += await redis.xlen(key);
    kept.bytes += (await redis.memory("USAGE", key)) ?? 0;
  }
  return kept;
}
