import { beginSpan, type Span } from "../../base/span.ts";
import { parseSampled } from "../../base/trace.ts";
import type { CloudEvent } from "../../contract/event.ts";

/** Applies one event. */
export type ApplyTraced = (event: CloudEvent, work: () => void) => void;

/**
 * Runs a transaction that applies events, each sampled one in a span that continues the trace of its being published.
 * The spans end with the transaction: what was rolled back with another event was not applied.
 * @param tell told of each event that was
 */
export async function traceApplied<T>(
  subscriber: string,
  publisher: string,
  transaction: (apply: ApplyTraced) => Promise<T>,
  tell: (event: CloudEvent) => void = () => {},
): Promise<T> {
  const spans: Span[] = [];
  const events: CloudEvent[] = [];
  const end = (status: string) => {
    for (const span of spans) span.end(status);
  };
  const apply: ApplyTraced = (event, work) => {
    events.push(event);
    const cause = event.traceparent === undefined ? undefined : parseSampled(event.traceparent);
    if (cause === undefined) return work();
    const attributes = { "messaging.message.id": event.id, "quartet.event.type": event.type };
    const start = { kind: "apply", name: event.type, service: subscriber, peer: publisher, attributes } as const;
    const span = beginSpan(cause, start);
    spans.push(span);
    try {
      span.run(work);
    } catch (error) {
      span.end("failed");
      throw error;
    }
  };
  try {
    const result = await transaction(apply);
    end("ok");
    for (const event of events) tell(event);
    return result;
  } catch (error) {
    end("rolled-back");
    throw error;
  }
}
