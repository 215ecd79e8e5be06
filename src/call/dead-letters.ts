import { z } from "zod";
import { defineContract, operation } from "../contract/contract.ts";
import { id, page, pageQuery, timestamp } from "../contract/schemas.ts";

/** An event that a module could not apply. */
const deadLetter = z
  .object({
    id,
    module: z.string().meta({ description: "Who could not apply it", examples: ["products"] }),
    event: z
      .looseObject({
        id,
        source: z.string().meta({ examples: ["/orders"] }),
        type: z.string().meta({ examples: ["order.created"] }),
        subject: z.string().meta({ examples: ["01981a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b"] }),
        time: timestamp,
        data: z.unknown().meta({ examples: [{ order_id: "01981a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b" }] }),
      })
      .meta({ description: "The event, in its CloudEvents 1.0 envelope" }),
    error: z
      .string()
      .meta({ description: "Why the last try failed", examples: ["CHECK constraint failed: stock >= 0"] }),
    attempts: z.int().meta({ examples: [5] }),
    failed_at: timestamp,
  })
  .meta({ id: "DeadLetter" });

/**
 * What becomes of events that could not be applied. Every module serves these operations for itself, beside its own contract; the
 * gateway serves them for all modules together.
 */
export const deadLetters = defineContract({
  name: "events",
  problems: {
    "replay-failed": {
      kind: "conflict",
      meaning: "The event was applied once more and failed again. It stays a dead letter, with the new error.",
      remedy: "Read the error in the list of dead letters, remove its cause, then replay again; or discard it.",
    },
  },
  operations: {
    listDeadLetters: operation({
      method: "GET",
      path: "/events/dead-letters",
      access: "admin",
      summary: "List the events that a module could not apply",
      input: z.strictObject(pageQuery),
      output: page(deadLetter).extend({
        missing: z
          .array(z.string())
          .exactOptional()
          .meta({
            description: "The modules that could not be asked: letters of theirs are not in the list",
            examples: [["products"]],
          }),
      }),
      problems: [],
      paged: true,
    }),
    replayDeadLetter: operation({
      method: "POST",
      path: "/events/dead-letters/{id}/replay",
      access: "admin",
      summary: "Apply the event again; when that succeeds it is no dead letter any more",
      input: z.strictObject({ id }),
      output: z.object({}),
      status: 204,
      problems: ["not-found", "replay-failed"],
    }),
    discardDeadLetter: operation({
      method: "POST",
      path: "/events/dead-letters/{id}/discard",
      access: "admin",
      summary: "Give the event up",
      input: z.strictObject({ id }),
      output: z.object({}),
      status: 204,
      problems: ["not-found"],
    }),
  },
  events: {},
});

/** The same contract, as one module serves it for its own letters. */
export function deadLettersOf(module: string) {
  return { ...deadLetters, name: module };
}
