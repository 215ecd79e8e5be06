import { type Span, textAttribute } from "./span.ts";

/** An event, and how its application went. */
export interface SeenEvent {
  readonly id: string;
  readonly type: string;
  readonly publisher: string;
  readonly traceId: string;
  readonly atMs: number;
  readonly appliedBy: readonly { readonly module: string; readonly attempts: number; readonly done: boolean }[];
}

/** The events that some spans tell of, newest first. */
export function readEvents(spans: Iterable<Span>): SeenEvent[] {
  const told = [...spans].filter((span) => span.kind === "publish" || span.kind === "apply");
  const byId = Map.groupBy(told, (span) => textAttribute(span, "event_id") ?? span.span_id);
  return [...byId]
    .map(([id, about]) => readEvent(id, about))
    .filter((event) => event !== undefined)
    .sort((a, b) => b.atMs - a.atMs);
}

function readEvent(id: string, about: readonly Span[]): SeenEvent | undefined {
  const first = about.find((span) => span.kind === "publish") ?? about[0];
  if (first === undefined || (first.kind === "publish" && first.status !== "ok")) return undefined;
  const bySubscriber = Map.groupBy(
    about.filter((span) => span.kind === "apply"),
    (span) => span.service,
  );
  return {
    id,
    type: first.name,
    publisher: first.kind === "publish" ? first.service : (first.peer ?? ""),
    traceId: first.trace_id,
    atMs: first.start_us / 1_000,
    appliedBy: [...bySubscriber].map(([module, tries]) => ({
      module,
      attempts: tries.length,
      done: tries.some((span) => span.status === "ok"),
    })),
  };
}
