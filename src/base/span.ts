import {
  type Attributes,
  context,
  createContextKey,
  SpanKind as OtelKind,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { isProblem } from "./problem.ts";
import { wallClockMs } from "./wall-clock.ts";

/** The places of the kit that are traced; a request is the gateway's own kind of serving. */
export type SpanKind = "request" | "serve" | "call" | "gate" | "store" | "publish" | "apply";

/** What is known of a piece of work when it begins. */
export interface SpanStart {
  readonly kind: SpanKind;
  readonly name: string;
  /** Who does it: the gateway or a module. */
  readonly service: string;
  /** Who is called, who published, or the database. */
  readonly peer?: string;
  /** By their names in OpenTelemetry's semantic conventions. Never values that a caller sent. */
  readonly attributes?: Attributes;
}

/** The attributes of a span that say what `SpanStart` says, and how it ended. */
export const SPAN_ATTRIBUTES = {
  kind: "quartet.kind",
  service: "quartet.service",
  peer: "quartet.peer",
  status: "quartet.status",
} as const;

/** A piece of sampled work that goes on. */
export interface Span {
  /** What travels to whoever is caused by it. */
  readonly context: SpanContext;
  readonly ended: boolean;
  /** Runs work with this span as the active one, also across what it awaits: its statements are the span's. */
  run<T>(work: () => T): T;
  /** What turned out later. */
  describe(name: string, attributes: Attributes): void;
  /** Ends it, once. @param status `ok`, or what became of it in one word */
  end(status: string): void;
}

const OTEL_KINDS: Readonly<Record<SpanKind, OtelKind>> = {
  request: OtelKind.SERVER,
  serve: OtelKind.SERVER,
  call: OtelKind.CLIENT,
  gate: OtelKind.INTERNAL,
  store: OtelKind.CLIENT,
  publish: OtelKind.PRODUCER,
  apply: OtelKind.CONSUMER,
};

const tracer = trace.getTracer("quartet");
const ACTIVE = createContextKey("quartet.span");

/** How many spans are open in this process: while there are none, nobody asks which one is active. */
let open = 0;

/** Whether work of this trace is to be traced: the one question that untraced work pays for. */
export function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}

/**
 * Begins a span. To be asked for sampled work only.
 * @param parent the span that caused it, sampled; undefined begins a trace
 */
export function beginSpan(parent: SpanContext | undefined, start: SpanStart): Span {
  const { kind, name, service, peer, attributes } = start;
  const above = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  const own = { [SPAN_ATTRIBUTES.kind]: kind, [SPAN_ATTRIBUTES.service]: service };
  const told = { ...attributes, ...own, ...(peer === undefined ? undefined : { [SPAN_ATTRIBUTES.peer]: peer }) };
  const options = { kind: OTEL_KINDS[kind], attributes: told, startTime: wallClockMs() };
  return new OpenSpan(tracer.startSpan(name, options, above));
}

/** Does work in a span that ends when the work does, with `ok` or with the name of its problem. */
export async function inSpan<T>(
  parent: SpanContext,
  start: SpanStart,
  work: (span: Span) => T | Promise<T>,
): Promise<T> {
  const span = beginSpan(parent, start);
  try {
    const result = await work(span);
    span.end("ok");
    return result;
  } catch (error) {
    span.end(codeOf(error));
    throw error;
  }
}

/** The span that this work belongs to, if it is traced and still goes on. */
export function activeSpan(): Span | undefined {
  if (open === 0) return undefined;
  const span = context.active().getValue(ACTIVE) as Span | undefined;
  return span?.ended === false ? span : undefined;
}

/** Runs work that is not for the one who happens to begin it alone, such as a shared commit. */
export function outsideSpans<T>(work: () => T): T {
  return open === 0 ? work() : context.with(ROOT_CONTEXT, work);
}

/** What a failure is called: the problem's name, else `internal`. */
export function codeOf(error: unknown): string {
  return isProblem(error) ? error.code : "internal";
}

class OpenSpan implements Span {
  readonly context: SpanContext;
  readonly #span: OtelSpan;
  ended = false;

  constructor(span: OtelSpan) {
    this.#span = span;
    this.context = span.spanContext();
    open += 1;
  }

  run<T>(work: () => T): T {
    return context.with(trace.setSpan(ROOT_CONTEXT, this.#span).setValue(ACTIVE, this), work);
  }

  describe(name: string, attributes: Attributes): void {
    this.#span.updateName(name).setAttributes(attributes);
  }

  end(status: string): void {
    if (this.ended) return;
    this.ended = true;
    open -= 1;
    this.#span.setAttribute(SPAN_ATTRIBUTES.status, status);
    if (!isFine(status)) this.#span.setStatus({ code: SpanStatusCode.ERROR, message: status });
    this.#span.end(wallClockMs());
  }
}

/** `ok`, or an HTTP status that is not the server's failure. */
function isFine(status: string): boolean {
  return status === "ok" || /^[1-4]\d\d$/.test(status);
}
