import type { SpanRecord } from "../../telemetry/span-record.ts";

const MAX_SPANS = 5_000;
const MAX_TRACES = 200;

/** Spans that came together. */
export interface RingEntry {
  /** 1, 2, 3… since the gateway started. */
  readonly number: number;
  /** How many spans came before these. */
  readonly before: number;
  readonly spans: readonly SpanRecord[];
}

export interface Trace {
  readonly trace_id: string;
  readonly spans: readonly SpanRecord[];
}

/** The recent past: what every stream is read from, so that no reader needs a buffer of its own. */
export interface SpanRing {
  add(spans: readonly SpanRecord[]): void;
  /** The number of the newest entry, 0 if there was none yet. */
  readonly newest: number;
  /** How many spans there have been. */
  readonly total: number;
  /** The entry that follows this number, or the oldest that is left; undefined when there is none yet. */
  after(number: number): RingEntry | undefined;
  /** At most `limit` traces, that with the newest beginning first, the spans of each by their start. */
  traces(limit: number): Trace[];
}

export function createSpanRing(limits = { spans: MAX_SPANS, traces: MAX_TRACES }): SpanRing {
  const entries: RingEntry[] = [];
  /** How many spans of each trace the ring holds. */
  const counts = new Map<string, number>();
  let newest = 0;
  let total = 0;
  let held = 0;

  function evict({ spans }: RingEntry): void {
    held -= spans.length;
    for (const { trace_id } of spans) {
      const left = (counts.get(trace_id) ?? 0) - 1;
      if (left > 0) counts.set(trace_id, left);
      else counts.delete(trace_id);
    }
  }

  return {
    add(spans) {
      newest += 1;
      entries.push({ number: newest, before: total, spans });
      total += spans.length;
      held += spans.length;
      for (const { trace_id } of spans) counts.set(trace_id, (counts.get(trace_id) ?? 0) + 1);
      while (held > limits.spans || counts.size > limits.traces) {
        const oldest = entries.shift();
        if (oldest === undefined) break;
        evict(oldest);
      }
    },
    get newest() {
      return newest;
    },
    get total() {
      return total;
    },
    after(number) {
      const first = entries[0]?.number ?? 0;
      return entries[Math.max(0, number + 1 - first)];
    },
    traces(limit) {
      const spans = entries.flatMap((entry) => entry.spans).sort((a, b) => a.start_us - b.start_us);
      const byTrace = Map.groupBy(spans, ({ trace_id }) => trace_id);
      return Array.from(byTrace, ([trace_id, spans]) => ({ trace_id, spans }))
        .reverse()
        .slice(0, limit);
    },
  };
}
