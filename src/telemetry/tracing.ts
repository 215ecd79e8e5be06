import { hostname } from "node:os";
import type { Bus } from "../bus/bus.ts";
import { reportDiagnostics } from "./diagnostics.ts";
import type { OtlpExport, OtlpSettings } from "./otlp.ts";
import { answerRollCalls, type Presence } from "./presence.ts";
import { SPANS_TOPIC, type SpanBatch } from "./span-record.ts";

/** Names this process, in a container too. */
export const processId = `${hostname()}:${process.pid}`;

/** For how long after a roll call somebody may still look at what happens. */
const WATCHED_MS = 65_000;

type Sink = (batch: SpanBatch) => void;

/** OpenTelemetry knows one tracer provider per process, so whoever wants its spans shares it. */
const sinks = new Set<Sink>();
let watchedUntilMs = Number.NEGATIVE_INFINITY;
let sdk: Promise<void> | undefined;
let otlp: OtlpExport | undefined;

export interface TelemetryDeps {
  readonly bus: Pick<Bus, "broadcast" | "onBroadcast">;
  readonly presence: () => Omit<Presence, "process">;
}

/**
 * Lets this process be watched: finished spans are broadcast, roll calls answered. The OpenTelemetry SDK takes a good part
 * of a start, so it is loaded when somebody watches for the first time.
 * @returns the way to stop it
 */
export function startTelemetry({ bus, presence }: TelemetryDeps): () => void {
  const sink: Sink = (batch) => bus.broadcast(SPANS_TOPIC, batch);
  sinks.add(sink);
  const prepare = () => {
    watchedUntilMs = performance.now() + WATCHED_MS;
    return loadSdk();
  };
  const stopListening = answerRollCalls({ bus, prepare, presence: () => ({ process: processId, ...presence() }) });
  return () => {
    stopListening();
    sinks.delete(sink);
  };
}

/**
 * Also exports spans by OTLP. Before anybody can watch, since the tracer provider is made once.
 * @param warn told of what the SDK passes over, and of what keeps it from exporting
 * @returns the way to stop it, which takes a second at most
 */
export async function startExport(
  settings: Omit<OtlpSettings, "instanceId">,
  warn: (message: string) => void,
): Promise<() => Promise<void>> {
  reportDiagnostics(warn);
  const { createOtlpExport } = await import("./otlp.ts");
  otlp = createOtlpExport({ ...settings, instanceId: processId });
  await loadSdk();
  return otlp.stop;
}

/** Makes sampled spans real. Until then they cost nothing and tell nothing. */
export function loadSdk(): Promise<void> {
  sdk ??= register();
  return sdk;
}

async function register(): Promise<void> {
  const { AlwaysOnSampler, NodeTracerProvider, ParentBasedSampler } = await import("@opentelemetry/sdk-trace-node");
  const { createSpanBroadcaster } = await import("./span-broadcaster.ts");
  const broadcaster = createSpanBroadcaster({
    process: processId,
    isWatched: () => performance.now() < watchedUntilMs,
    send(batch) {
      for (const sink of sinks) sink(batch);
    },
  });
  // Whoever begins a trace has decided to sample it; with an export, OTEL_TRACES_SAMPLER may thin them out.
  const sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() });
  const options =
    otlp === undefined
      ? { sampler, spanProcessors: [broadcaster] }
      : { resource: otlp.resource, spanProcessors: [broadcaster, otlp.processor] };
  // Trace context is carried by our own code, so no propagator.
  new NodeTracerProvider(options).register({ propagator: null });
}
