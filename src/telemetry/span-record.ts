import { z } from "zod";

/** The topic on which finished spans travel to the gateway, best effort. */
export const SPANS_TOPIC = "spans";

/** A finished span as the console is told of it: `docs/console-stream.md`. */
export const spanRecord = z.object({
  trace_id: z.string(),
  span_id: z.string(),
  parent_id: z.string().nullable(),
  kind: z.enum(["request", "serve", "call", "gate", "store", "publish", "apply"]),
  name: z.string(),
  service: z.string(),
  peer: z.string().nullable(),
  process: z.string(),
  start_us: z.number(),
  duration_us: z.number(),
  status: z.string(),
  attributes: z.record(z.string(), z.unknown()),
});

export type SpanRecord = z.output<typeof spanRecord>;

/** What a process sends at once. */
export const spanBatch = z.object({
  process: z.string(),
  /** How many spans it has sent before these: whoever knows of fewer has missed some. */
  sent: z.int(),
  /** How many it has dropped because there were too many. */
  dropped: z.int(),
  spans: z.array(spanRecord),
});

export type SpanBatch = z.output<typeof spanBatch>;
