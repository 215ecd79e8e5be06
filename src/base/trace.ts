import type { SpanContext } from "@opentelemetry/api";
import { randomBytes } from "./random-bytes.ts";

/** version, trace id, parent id and flags; what a later version adds comes after another dash. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;

/** The flags that Trace Context level 2 defines: sampled, and random trace id. */
const KNOWN_FLAGS = 0b11;

/** Where the last digit of the flags stands, whose lowest bit says sampled. */
const LAST_DIGIT = 54;
const ODD_DIGITS = "13579bdf";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/**
 * The trace that a request belongs to (W3C Trace Context).
 * @param header the value of `traceparent`; without one, or with one that is not valid, a new trace begins, unsampled
 */
export function traceOf(header: string | readonly string[] | undefined): SpanContext {
  return (typeof header === "string" ? parseTraceparent(header) : undefined) ?? newTrace();
}

/** W3C Trace Context, version 00. */
export function formatTraceparent(trace: SpanContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.traceFlags.toString(16).padStart(2, "0")}`;
}

/** The span that a `traceparent` names, if it is sampled; for all others a look at one digit has to do. */
export function parseSampled(header: string): SpanContext | undefined {
  return ODD_DIGITS.includes(header.charAt(LAST_DIGIT)) ? parseTraceparent(header) : undefined;
}

function parseTraceparent(header: string): SpanContext | undefined {
  const [, version, traceId = "", spanId = "", flags = "", rest] = TRACEPARENT.exec(header) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & KNOWN_FLAGS, isRemote: true };
}

function newTrace(): SpanContext {
  const traceId = randomBytes(TRACE_ID_BYTES).toString("hex");
  return { traceId, spanId: randomBytes(SPAN_ID_BYTES).toString("hex"), traceFlags: 0 };
}
