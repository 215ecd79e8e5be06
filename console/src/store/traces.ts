import { createCell, type Watchable } from "../model/cell.ts";
import { type Flow, readFlows } from "../model/flow.ts";
import type { Span } from "../model/span.ts";

/** The recent traces, as far as the page remembers them. */
export interface Traces extends Watchable {
  add(spans: readonly Span[]): void;
  /** The flow of this request, or, where none is named, of the first one of the trace. */
  flow(traceId: string, requestId?: string): Flow | undefined;
  /** Every request, newest first. */
  recent(): readonly Flow[];
  spans(): Iterable<Span>;
  /** Resolves with the flow as soon as it satisfies, or with what there is when the time is over. */
  until(traceId: string, satisfies: (flow: Flow) => boolean, timeoutMs: number): Promise<Flow | undefined>;
}

const MOST_TRACES = 200;

/** Those who watch are told at once of what comes alone, and of what comes thick and fast no more often than this. */
const TELL_MS = 250;

/** @param isShown true for a trace that is on show: it stays, however old it is */
export function createTraces(isShown: (traceId: string) => boolean): Traces {
  const byTrace = new Map<string, Map<string, Span>>();
  const flows = new Map<string, readonly Flow[]>();
  const version = createCell(0);
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let telling = false;

  const tell = (): void => {
    telling = false;
    toldAtMs = performance.now();
    version.set(version.get() + 1);
  };

  const addOne = (span: Span): void => {
    let trace = byTrace.get(span.trace_id);
    if (trace === undefined) {
      trace = new Map();
      byTrace.set(span.trace_id, trace);
    }
    trace.set(span.span_id, span);
    flows.delete(span.trace_id);
  };

  const forgetOldest = (): void => {
    const excess = byTrace.size - MOST_TRACES;
    if (excess <= 0) return;
    const byAge = [...byTrace].map(([id, trace]) => ({ id, at: startOf(trace) })).sort((a, b) => a.at - b.at);
    for (const { id } of byAge.filter((each) => !isShown(each.id)).slice(0, excess)) {
      byTrace.delete(id);
      flows.delete(id);
    }
  };

  const flowsOf = (traceId: string): readonly Flow[] => {
    const known = flows.get(traceId) ?? readFlows([...(byTrace.get(traceId)?.values() ?? [])]);
    flows.set(traceId, known);
    return known;
  };

  const flow = (traceId: string, requestId?: string): Flow | undefined =>
    flowsOf(traceId).find((each) => requestId === undefined || each.requestId === requestId);

  return {
    watch: version.watch,
    add(spans) {
      if (spans.length === 0) return;
      for (const span of spans) addOne(span);
      forgetOldest();
      const waitMs = toldAtMs + TELL_MS - performance.now();
      if (telling) return;
      if (waitMs <= 0) return tell();
      telling = true;
      setTimeout(tell, waitMs);
    },
    flow,
    recent: () =>
      [...byTrace.keys()]
        .flatMap(flowsOf)
        .filter((each) => each.status !== undefined)
        .sort((a, b) => b.startedAtMs - a.startedAtMs),
    *spans() {
      for (const trace of byTrace.values()) yield* trace.values();
    },
    until(traceId, satisfies, timeoutMs) {
      const { promise, resolve } = Promise.withResolvers<Flow | undefined>();
      const look = (): void => {
        const found = flow(traceId);
        if (found !== undefined && satisfies(found)) resolve(found);
      };
      const stopWatching = version.watch(look);
      const timer = setTimeout(() => resolve(flow(traceId)), timeoutMs);
      look();
      return promise.finally(() => {
        stopWatching();
        clearTimeout(timer);
      });
    },
  };
}

function startOf(trace: ReadonlyMap<string, Span>): number {
  return Math.min(...[...trace.values()].map((span) => span.start_us));
}
