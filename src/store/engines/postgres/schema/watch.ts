import { setTimeout as sleep } from "node:timers/promises";
import type { Schema } from "../../../migration-files.ts";
import { StoreRefusal } from "../../../refusal.ts";
import { requireUsable } from "../../../schema-state.ts";
import type { Sessions } from "../sessions.ts";
import { findState } from "./migrations.ts";

const LOOK_MS = 2_000;

/**
 * Looks now and then whether newer code has changed a schema so that this code cannot use it any more: whoever migrates sees who serves it,
 * but not through a pooler.
 * @param then told once, in words
 * @returns the way to stop it
 */
export function watchSchema(sessions: Sessions, schema: Schema, then: (told: string) => void): () => void {
  const stopped = new AbortController();
  void watch(sessions, schema, stopped.signal).then((told) => {
    if (told !== undefined) then(told);
  });
  return () => stopped.abort();
}

async function watch(sessions: Sessions, schema: Schema, stopped: AbortSignal): Promise<string | undefined> {
  while (!stopped.aborted) {
    await sleep(LOOK_MS, undefined, { ref: false, signal: stopped }).catch(() => undefined);
    if (stopped.aborted) return undefined;
    try {
      requireUsable(await sessions.use(findState), schema);
    } catch (error) {
      if (error instanceof StoreRefusal) return error.message;
      // The server is away; that is told where it is used.
    }
  }
  return undefined;
}
