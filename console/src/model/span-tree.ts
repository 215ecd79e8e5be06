import type { Span } from "./span.ts";

/** The spans of one trace, and how they belong together. */
export interface SpanTree {
  /** What began it: the gateway's request, or the earliest span as long as that one has not come. */
  readonly root: Span | undefined;
  /** By start; of two that start at once the cause is first. */
  readonly ordered: readonly Span[];
  parentOf(span: Span): Span | undefined;
  childrenOf(span: Span): readonly Span[];
  /** The request that caused it, as far as it and what lies between have come; a request is its own. */
  requestOf(span: Span): Span | undefined;
  /** True for the application of an event and all below it. */
  isAfterwards(span: Span): boolean;
  /** True where the second span caused the first, at whatever remove. */
  isBelow(spanId: string, ancestorId: string): boolean;
  /** Milliseconds since the root began. */
  offsetMs(span: Span): number;
}

export function createTree(spans: readonly Span[]): SpanTree {
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const children = Map.groupBy(spans, (span) => span.parent_id);
  const parentOf = (span: Span): Span | undefined => (span.parent_id === null ? undefined : byId.get(span.parent_id));
  const depthOf = (span: Span): number => ancestors(span, parentOf).length;
  const ordered = spans
    .map((span) => ({ span, depth: depthOf(span) }))
    .sort((a, b) => a.span.start_us - b.span.start_us || a.depth - b.depth)
    .map(({ span }) => span);
  const root = spans.find((span) => span.kind === "request") ?? ordered[0];
  return {
    root,
    ordered,
    parentOf,
    childrenOf: (span) => children.get(span.span_id) ?? [],
    requestOf: (span) => [span, ...ancestors(span, parentOf)].find((each) => each.kind === "request"),
    isAfterwards: (span) => [span, ...ancestors(span, parentOf)].some((each) => each.kind === "apply"),
    isBelow(spanId, ancestorId) {
      const span = byId.get(spanId);
      return span !== undefined && ancestors(span, parentOf).some((each) => each.span_id === ancestorId);
    },
    offsetMs: (span) => (span.start_us - (root?.start_us ?? span.start_us)) / 1_000,
  };
}

/** From the parent up; a circle, which only broken data has, ends it. */
function ancestors(span: Span, parentOf: (span: Span) => Span | undefined): Span[] {
  const found: Span[] = [];
  for (let each = parentOf(span); each !== undefined && !found.includes(each); each = parentOf(each)) found.push(each);
  return found;
}
