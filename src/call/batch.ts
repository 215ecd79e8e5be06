import { z } from "zod";
import { BATCH_LIMIT } from "./limits.ts";

/**
 * Calls that travel together: `POST /.calls` takes a list of calls and answers one JSON line for each, in the
 * order in which they finish, so that a slow or failing one harms no other.
 */
export const BATCH_PATH = "/.calls";

/** More than anybody waits, and not too much for a timer. */
const LONGEST_TIMEOUT_MS = 3_600_000;

/** Tells a neighbour how many milliseconds its caller still waits. */
export const TIMEOUT_HEADER = "x-timeout-ms";

export const batchRequest = z.object({
  calls: z
    .array(
      z.object({
        operation: z.string(),
        // Not a record, which would drop a member `__proto__` that the callee has to refuse.
        input: z.custom<Record<string, unknown>>((value) => typeof value === "object" && value !== null),
        token: z.string().nullable(),
        timeout_ms: z
          .number()
          .min(0)
          .transform((ms) => Math.min(ms, LONGEST_TIMEOUT_MS)),
        // When the caller stops waiting, in the callee's own time, if that is known.
        until_ms: z.number().optional(),
        // When its caller was asked for it, in the callee's own time, if that is known.
        asked_ms: z.number().optional(),
        request_id: z.string(),
        traceparent: z.string(),
      }),
    )
    .min(1)
    .max(BATCH_LIMIT),
});

export type BatchedCall = z.infer<typeof batchRequest>["calls"][number];

/** Tells a neighbour when its caller stops waiting, in the neighbour's own time (`processTimeMs`). */
export const UNTIL_HEADER = "x-until-ms";

/** Tells a caller what time it is here (`processTimeMs`). */
export const CLOCK_HEADER = "x-clock-ms";

/** One line of the answer: that a call may be about to begin, or, last, its output, or a problem as RFC 9457 has it. */
export type BatchLine =
  | { readonly index: number; readonly begun: true }
  | { readonly index: number; readonly output: Record<string, unknown> }
  | { readonly index: number; readonly problem: Record<string, unknown>; readonly retryAfter: string | null };
