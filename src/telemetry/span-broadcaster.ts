import type { Attributes } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-node";
import { SPAN_ATTRIBUTES } from "../base/span.ts";
import type { SpanBatch, SpanRecord } from "./span-record.ts";

/** How long a finished span waits for others, and how many go together. */
const COLLECT_MS = 50;
const BATCH_SIZE = 100;

/** The most spans that wait; further ones are dropped and counted. */
const BUFFER_SIZE = 2_000;

/** The names that the console has for attributes; no other attribute leaves the process. */
const WIRE_NAMES: Readonly<Record<string, string>> = {
  "http.request.method": "method",
  "http.route": "route",
  "db.query.text": "statements",
  "messaging.message.id": "event_id",
  "quartet.event.type": "event_type",
};

export interface SpanBroadcasterOptions {
  /** Names this process in every span. */
  readonly process: string;
  /** While nobody watches, spans are not sent: they may have been made for somebody else. */
  readonly isWatched: () => boolean;
  readonly send: (batch: SpanBatch) => void;
}

/** Sends finished spans in small batches, one batch a turn. Never blocks and never fails: what does not fit is dropped. */
export function createSpanBroadcaster({ process, isWatched, send }: SpanBroadcasterOptions): SpanProcessor {
  let waiting: SpanRecord[] = [];
  let sent = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const spans = waiting.slice(0, BATCH_SIZE);
    if (spans.length === 0) return;
    waiting = waiting.slice(BATCH_SIZE);
    send({ process, sent, dropped, spans });
    sent += spans.length;
    if (waiting.length > 0) schedule(0);
  }

  function schedule(delayMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(flush, delayMs).unref();
  }

  return {
    onStart() {},
    onEnd(span) {
      if (!isWatched()) return;
      if (waiting.length >= BUFFER_SIZE) {
        dropped += 1;
        return;
      }
      waiting.push(toRecord(span, process));
      if (waiting.length === BATCH_SIZE) schedule(0);
      else if (timer === undefined) schedule(COLLECT_MS);
    },
    async forceFlush() {
      while (waiting.length > 0) flush();
    },
    async shutdown() {
      clearTimeout(timer);
    },
  };
}

function toRecord(span: ReadableSpan, process: string): SpanRecord {
  const { traceId, spanId } = span.spanContext();
  const { attributes } = span;
  return {
    trace_id: traceId,
    span_id: spanId,
    parent_id: span.parentSpanContext?.spanId ?? null,
    kind: attributes[SPAN_ATTRIBUTES.kind] as SpanRecord["kind"],
    name: span.name,
    service: String(attributes[SPAN_ATTRIBUTES.service]),
    peer: (attributes[SPAN_ATTRIBUTES.peer] as string | undefined) ?? null,
    process,
    start_us: microseconds(span.startTime),
    duration_us: microseconds(span.duration),
    status: String(attributes[SPAN_ATTRIBUTES.status]),
    attributes: wireAttributes(attributes),
  };
}

function wireAttributes(attributes: Attributes): Record<string, unknown> {
  const told = Object.entries(WIRE_NAMES).filter(([name]) => attributes[name] !== undefined);
  return Object.fromEntries(told.map(([name, wireName]) => [wireName, attributes[name]]));
}

function microseconds([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000_000 + Math.round(nanoseconds / 1_000);
}
