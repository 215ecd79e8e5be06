import { beginSpan, type Span } from "../../base/span.ts";
import { parseSampled } from "../../base/trace.ts";
import type { CloudEvent } from "../../contract/event.ts";
import type { Work } from "../../store/unit.ts";

/** Applies one event. */
export type ApplyTraced = (event: CloudEvent, work: Work<void>) => Work<void>;

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
  function apply(event: CloudEvent, work: Work<void>): Work<void> {
    events.push(event);
    const cause = event.traceparent === undefined ? undefined : parseSampled(event.traceparent);
    if (cause === undefined) return work;
    const attributes = { "messaging.message.id": event.id, "quartet.event.type": event.type };
    const start = { kind: "apply", name: event.type, service: subscriber, peer: publisher, attributes } as const;
    const span = beginSpan(cause, start);
    spans.push(span);
    return workInSpan(span, work);
  }
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

/** What the work does between its steps is done in the span, and the steps are made there. */
function* workInSpan(span: Span, work: Work<void>): Work<void> {
  try {
    let result = span.run(() => work.next(undefined));
    while (!result.done) {
      const { value: step } = result;
      try {
        const answer = yield step;
        result = span.run(() => work.next(answer));
      } catch (error) {
        result = span.run(() => work.throw(error));
      }
    }
  } catch (error) {
    span.end("failed");
    throw error;
  }
}
