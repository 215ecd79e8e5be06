import { isSpanContextValid, type SpanContext } from "@opentelemetry/api";
import type { z } from "zod";
import { formatTraceparent } from "../base/trace.ts";
import type { Contract } from "./contract.ts";

/** A CloudEvents 1.0 envelope in its JSON form, with the distributed-tracing extension. */
export interface CloudEvent<Data = unknown> {
  readonly specversion: "1.0";
  readonly id: string;
  /** `/<module>` that published it. */
  readonly source: string;
  readonly type: string;
  /** The id of what it is about. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly traceparent?: string;
  readonly data: Data;
}

/** What a module says of an event; the store adds id, source and time when it appends it to the log. */
export interface EventDraft {
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
  readonly traceparent?: string;
}

/**
 * Drafts an event that the contract declares.
 * @param trace the span that caused it, so that a trace crosses the event
 * @throws ZodError when the data breaks the event's schema
 */
export function draftEvent<C extends Contract, T extends keyof C["events"] & string>(
  contract: C,
  type: T,
  subject: string,
  data: z.input<C["events"][T]>,
  trace?: SpanContext,
): EventDraft {
  const schema = contract.events[type];
  if (schema === undefined) throw new Error(`${contract.name} declares no event ${type}`);
  const draft = { type, subject, data: schema.parse(data) };
  return trace !== undefined && isSpanContextValid(trace) ? { ...draft, traceparent: formatTraceparent(trace) } : draft;
}
