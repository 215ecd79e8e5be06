import { formatMs } from "./format.ts";
import type { ArrowKind, Place } from "./places.ts";
import { isModule } from "./places.ts";
import { type Span, textAttribute } from "./span.ts";
import { createTree, type SpanTree } from "./span-tree.ts";
import { statusText } from "./status-text.ts";

/** Before the answer, the answer itself, or what nobody waited for. */
export type Phase = "request" | "answer" | "afterwards";

/** Something that really happened between two places. */
export interface Step {
  /** The span that says so. */
  readonly spanId: string;
  readonly number: number;
  readonly phase: Phase;
  readonly from: Place;
  readonly to: Place;
  readonly kind: ArrowKind;
  /** Route, event type, or statement. */
  readonly what: string;
  /** How it came there, in a few words. */
  readonly how: string;
  readonly status: string;
  readonly failed: boolean;
  /** True where nothing went wrong but the answer was no: there was not enough left. */
  readonly refused: boolean;
  /** Since the trace began. */
  readonly startMs: number;
  readonly durationMs: number;
  /** The full statements of a transaction, values hidden. */
  readonly statements: readonly string[];
}

/** A request, and all that came of it. */
export interface Flow {
  readonly traceId: string;
  /** The span of the request; a trace may hold several. Undefined as long as it has not come. */
  readonly requestId: string | undefined;
  /** `POST /orders` */
  readonly title: string;
  readonly startedAtMs: number;
  readonly steps: readonly Step[];
  /** The status of the answer, once it is known. */
  readonly status: string | undefined;
  readonly failed: boolean;
  /** From the request to its answer. */
  readonly answeredInMs: number | undefined;
  /** From the request to the end of its last effect. */
  readonly totalMs: number;
  /** What became of the order, as far as events have told; `refused` is a no at once, before it was taken. */
  readonly outcome: "confirmed" | "rejected" | "refused" | undefined;
  /** The number of the step that went wrong first; what called it failed only for that reason. */
  readonly origin: number | undefined;
  /** True when everything has been told: the answer, what each call met, and the application of each event. */
  readonly settled: boolean;
}

/**
 * The flows of one trace, by start: one for each request, for a client may send several with one trace id. What none of
 * several requests is known to have caused is left out.
 */
export function readFlows(spans: readonly Span[]): Flow[] {
  return partsOf(spans)
    .map(readFlow)
    .filter((flow) => flow !== undefined)
    .sort((a, b) => a.startedAtMs - b.startedAtMs);
}

function partsOf(spans: readonly Span[]): (readonly Span[])[] {
  if (spans.filter((span) => span.kind === "request").length < 2) return [spans];
  const byRequest = Map.groupBy(spans, createTree(spans).requestOf);
  byRequest.delete(undefined);
  return [...byRequest.values()];
}

/**
 * Turns the spans of one request into numbered steps: first what the client waited for, in the order of its start, then the
 * answer, then what its events caused. Events may be quicker than the answer; their start offsets tell.
 */
export function readFlow(spans: readonly Span[]): Flow | undefined {
  const tree = createTree(spans);
  const root = tree.root;
  if (root === undefined) return undefined;
  const drafts = tree.ordered.flatMap((span) => draftStep(span, tree));
  const answer =
    root.kind === "request"
      ? [
          draftAnswer(
            root,
            tree,
            drafts.some(({ refused }) => refused),
          ),
        ]
      : [];
  const inPhase = (phase: Phase): Draft[] => drafts.filter((draft) => draft.phase === phase);
  const steps = [...inPhase("request"), ...answer, ...inPhase("afterwards")].map((draft, index) => ({
    ...draft,
    number: index + 1,
  }));
  const told = root.kind === "request" && drafts.some(({ refused }) => refused) ? "refused" : outcomeOf(spans);
  return {
    traceId: root.trace_id,
    requestId: root.kind === "request" ? root.span_id : undefined,
    title: root.name,
    startedAtMs: root.start_us / 1_000,
    steps,
    status: root.kind === "request" ? root.status : undefined,
    failed: hasFailed(root) && told !== "refused",
    answeredInMs: root.kind === "request" ? root.duration_us / 1_000 : undefined,
    totalMs: Math.max(0, ...spans.map((span) => tree.offsetMs(span) + span.duration_us / 1_000)),
    outcome: told,
    origin: originOf(steps, tree),
    settled: root.kind === "request" && tree.ordered.every((span) => isComplete(span, tree)),
  };
}

type Draft = Omit<Step, "number">;

function draftStep(span: Span, tree: SpanTree): Draft[] {
  const arrow = arrowOf(span, tree);
  if (arrow === undefined) return [];
  return [
    {
      ...arrow,
      spanId: span.span_id,
      phase: tree.isAfterwards(span) ? "afterwards" : "request",
      status: span.kind === "request" ? "received" : span.status,
      failed: span.kind !== "request" && hasFailed(span) && !isRefusal(span),
      refused: isRefusal(span),
      startMs: tree.offsetMs(span),
      durationMs: span.duration_us / 1_000,
      statements: statementsOf(span),
    },
  ];
}

type Arrow = Pick<Draft, "from" | "to" | "kind" | "what" | "how">;

function arrowOf(span: Span, tree: SpanTree): Arrow | undefined {
  const { service, peer, name } = span;
  switch (span.kind) {
    case "request":
      return { from: "client", to: "gateway", kind: "http", what: name, how: "HTTP from outside" };
    case "call":
      return isModule(peer ?? undefined) ? { ...call(span, tree), from: service, to: peer as Place } : undefined;
    case "store":
      return isModule(service)
        ? { from: service, to: `${service}.db`, kind: "query", what: name, how: "one transaction" }
        : undefined;
    case "publish":
      return { from: service, to: "bus", kind: "event", what: name, how: "published with the commit" };
    case "apply":
      return { from: "bus", to: service, kind: "event", what: name, how: applied(span, tree) };
    case "serve":
    case "gate":
      return undefined;
  }
}

/** A call is told by the route that the callee served, and whether it left the process. */
function call(span: Span, tree: SpanTree): Pick<Arrow, "kind" | "what" | "how"> {
  const served = tree.childrenOf(span).find((child) => child.kind === "serve");
  const method = served && textAttribute(served, "method");
  const route = served && textAttribute(served, "route");
  const what = method !== undefined && route !== undefined ? `${method} ${route}` : span.name;
  const waited = waitedAtGate(span, tree);
  if (served === undefined) return { kind: "http", what, how: `no answer from there${waited}` };
  return served.process === span.process
    ? { kind: "direct", what, how: `direct call, same process${waited}` }
    : { kind: "http", what, how: `HTTP, other process${waited}` };
}

/** What it waited for while the module moved, in words. */
function waitedAtGate(span: Span, tree: SpanTree): string {
  const gates = tree.childrenOf(span).filter(({ kind }) => kind === "gate");
  if (gates.length === 0) return "";
  const waitedUs = gates.reduce((sum, gate) => sum + gate.duration_us, 0);
  return `, waited ${formatMs(waitedUs / 1_000)} at the gate`;
}

function applied(span: Span, tree: SpanTree): string {
  const publisher = tree.parentOf(span);
  const place = publisher === undefined || publisher.process === span.process ? ", same process" : ", other process";
  return `asynchronously${place}`;
}

function draftAnswer(root: Span, tree: SpanTree, refused: boolean): Draft {
  return {
    spanId: root.span_id,
    phase: "answer",
    from: "gateway",
    to: "client",
    kind: "http",
    what: statusText(root.status),
    how: "the client has its answer",
    status: root.status,
    failed: hasFailed(root) && !refused,
    refused: hasFailed(root) && refused,
    startMs: tree.offsetMs(root) + root.duration_us / 1_000,
    durationMs: root.duration_us / 1_000,
    statements: [],
  };
}

function statementsOf(span: Span): string[] {
  const { statements } = span.attributes;
  return Array.isArray(statements) ? statements.filter((statement) => typeof statement === "string") : [];
}

export function hasFailed(span: Pick<Span, "kind" | "status">): boolean {
  return span.kind === "request" ? Number(span.status) >= 400 : span.status !== "ok";
}

/** What a call ends with when nothing was wrong but the stock: the shop at its best, not a failure of it. */
function isRefusal({ kind, status }: Span): boolean {
  return kind === "call" && status === "insufficient-stock";
}

/** Of the steps that failed the one below which none did; an answer only where nothing behind it failed. */
function originOf(steps: readonly Step[], tree: SpanTree): number | undefined {
  const failed = steps.filter((step) => step.failed);
  const inner = failed.filter(({ phase }) => phase !== "answer");
  const causes = (outer: Step) =>
    inner.some(({ spanId }) => spanId !== outer.spanId && tree.isBelow(spanId, outer.spanId));
  return (inner.find((step) => !causes(step)) ?? failed[0])?.number;
}

/** A process tells its spans in the order of their end, so with the outer one all inner ones of that process are there. */
function isComplete(span: Span, tree: SpanTree): boolean {
  if (span.status !== "ok" || (span.kind !== "call" && span.kind !== "publish")) return true;
  const awaited = span.kind === "call" ? "serve" : "apply";
  return tree.childrenOf(span).some((child) => child.kind === awaited && child.status === "ok");
}

function outcomeOf(spans: readonly Span[]): Flow["outcome"] {
  const told = spans.filter((span) => span.kind === "publish" && span.status === "ok").map((span) => span.name);
  if (told.includes("stock.rejected")) return "rejected";
  return told.includes("stock.reserved") ? "confirmed" : undefined;
}
