import { randomUUIDv7 } from "node:crypto";
import { beginSpan, type Span } from "../../base/span.ts";
import { timestampOf } from "../../base/timestamp.ts";
import { formatTraceparent, parseSampled } from "../../base/trace.ts";
import type { CloudEvent, EventDraft } from "../../contract/event.ts";

/** An event on its way into a log. */
export interface DraftedEvent {
  /** The CloudEvent as JSON text. */
  readonly event: string;
  /** Of its being published, if what caused it is sampled: ends when it is committed, or is not. */
  readonly span: Span | undefined;
}

/**
 * Makes the CloudEvent of a draft.
 * @param name the module's: events are of the source `/<name>`
 * @param nowMs milliseconds since 1970
 */
export function draftEvent(
  name: string,
  { type, subject, data, traceparent }: EventDraft,
  nowMs: number,
): DraftedEvent {
  const id = randomUUIDv7(); // a tenth of the cost of the uuid package's, whose order within a millisecond nothing needs here
  const span = traceparent === undefined ? undefined : beginPublishing(name, id, type, traceparent);
  const trace = span === undefined ? traceparent : formatTraceparent(span.context);
  const event: CloudEvent = {
    specversion: "1.0",
    id,
    source: `/${name}`,
    type,
    subject,
    time: timestampOf(nowMs),
    datacontenttype: "application/json",
    ...(trace === undefined ? undefined : { traceparent: trace }),
    data,
  };
  return { event: JSON.stringify(event), span };
}

/** The trace that an event carries is below its cause, if that is sampled: the span of its being published. */
function beginPublishing(service: string, id: string, type: string, cause: string): Span | undefined {
  const parent = parseSampled(cause);
  if (parent === undefined) return undefined;
  const attributes = { "messaging.message.id": id, "quartet.event.type": type };
  return beginSpan(parent, { kind: "publish", name: type, service, attributes });
}
