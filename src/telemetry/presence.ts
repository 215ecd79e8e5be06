import { z } from "zod";
import type { Bus } from "../bus/bus.ts";

/** The topic on which a gateway that is watched asks who is there. */
export const ROLL_CALL_TOPIC = "roll-call";
/** The topic on which every process answers. */
export const PRESENCE_TOPIC = "presence";

/** Who a process is. */
export const presence = z.object({
  process: z.string(),
  services: z.array(z.string()),
  /** What keeps the data of each of its modules: `SQLite`, `PostgreSQL`. */
  engines: z.record(z.string(), z.string()).optional(),
});

export type Presence = z.output<typeof presence>;

export interface RollCallDeps {
  readonly bus: Pick<Bus, "broadcast" | "onBroadcast">;
  /** Called each time before the answer: whoever has answered is ready to be watched. */
  readonly prepare: () => Promise<void>;
  readonly presence: () => Presence;
}

/** Answers roll calls. Returns the way to stop it. */
export function answerRollCalls({ bus, prepare, presence }: RollCallDeps): () => void {
  return bus.onBroadcast(ROLL_CALL_TOPIC, () => {
    // Best effort, like all that is broadcast: who cannot answer is not shown.
    prepare().then(
      () => bus.broadcast(PRESENCE_TOPIC, presence()),
      () => undefined,
    );
  });
}
