import { isRecord } from "./json.ts";
import { isService, type ServiceName } from "./places.ts";

export const spanKinds = ["request", "serve", "call", "gate", "store", "publish", "apply"] as const;

/** A finished piece of work, as the gateway's stream tells it (docs/console-stream.md). */
export interface Span {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_id: string | null;
  readonly kind: (typeof spanKinds)[number];
  readonly name: string;
  readonly service: ServiceName;
  /** Who was called, written to, or heard. */
  readonly peer: string | null;
  readonly process: string;
  /** Since 1970. */
  readonly start_us: number;
  readonly duration_us: number;
  readonly status: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The spans among some values; what is none is left out, so that an older page outlives a newer gateway. */
export function readSpans(values: unknown): Span[] {
  return Array.isArray(values) ? values.filter(isSpan) : [];
}

/** An attribute that is a text, or nothing. */
export function textAttribute(span: Span, name: string): string | undefined {
  const value = span.attributes[name];
  return typeof value === "string" ? value : undefined;
}

function isSpan(value: unknown): value is Span {
  return (
    isRecord(value) &&
    typeof value.trace_id === "string" &&
    typeof value.span_id === "string" &&
    spanKinds.some((kind) => kind === value.kind) &&
    typeof value.service === "string" &&
    isService(value.service) &&
    typeof value.start_us === "number" &&
    typeof value.duration_us === "number" &&
    isRecord(value.attributes)
  );
}
