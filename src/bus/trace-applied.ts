import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import type { CloudEvent } from "../contract/event.ts";

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Runs the work in a span that continues the event's trace, if that trace is sampled; else it just runs. */
export function traceApplied(subscriber: string, event: CloudEvent, work: () => void): void {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(event.traceparent ?? "") ?? [];
  const traceFlags = Number.parseInt(flags ?? "0", 16);
  if (traceId === undefined || spanId === undefined || (traceFlags & TraceFlags.SAMPLED) === 0) {
    work();
    return;
  }
  const parent = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
  const attributes = { "quartet.module": subscriber, "messaging.message.id": event.id };
  const options = { kind: SpanKind.CONSUMER, attributes };
  trace.getTracer("quartet").startActiveSpan(`apply ${event.type}`, options, parent, (span) => {
    try {
      work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}
