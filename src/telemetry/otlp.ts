import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { detectResources, envDetector, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type SpanProcessor } from "@opentelemetry/sdk-trace-node";

/** How long a process that stops lets the receiver take the last spans. */
const FLUSH_MS = 1_000;

/** Where spans go, and whose they are. */
export interface OtlpSettings {
  /** The URL that traces are posted to. */
  readonly url: string;
  /** What `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` do not say. */
  readonly serviceName: string;
  readonly version: string;
  readonly instanceId: string;
}

export interface OtlpExport {
  readonly processor: SpanProcessor;
  readonly resource: Resource;
  /** Sends what is left, for a second at most. */
  stop(): Promise<void>;
}

/**
 * Exports spans by OTLP over HTTP in protobuf, in batches behind a bounded queue: a receiver that is away or hangs costs
 * spans, never a request. Headers, timeouts, compression and batching follow the standard variables
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/).
 */
export function createOtlpExport({ url, serviceName, version, instanceId }: OtlpSettings): OtlpExport {
  const processor = new BatchSpanProcessor(new OTLPTraceExporter({ url }));
  const own = { "service.name": serviceName, "service.version": version, "service.instance.id": instanceId };
  return {
    processor,
    resource: resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] })),
    async stop() {
      let timer: NodeJS.Timeout | undefined;
      const timeUp = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FLUSH_MS);
      });
      await Promise.race([processor.shutdown().catch(() => undefined), timeUp]);
      clearTimeout(timer);
    },
  };
}
