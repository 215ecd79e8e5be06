import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** A span as it was received, with what its resource says of the process. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** "" for the root. */
  readonly parentId: string;
  readonly name: string;
  readonly service: string;
  readonly instance: string;
}

/** A receiver of OTLP over HTTP in protobuf, which decodes what it gets. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** The headers of the last request. */
  headers(): Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface WireSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array | null;
  readonly name: string;
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

/** The decoder that is generated from the .proto files of OpenTelemetry; what is sent was written by another one. */
const root = createRequire(import.meta.url)("@opentelemetry/otlp-transformer/build/src/generated/root.js") as {
  opentelemetry: {
    proto: {
      collector: { trace: { v1: { ExportTraceServiceRequest: { decode(bytes: Uint8Array): ExportRequest } } } };
    };
  };
};
const { ExportTraceServiceRequest } = root.opentelemetry.proto.collector.trace.v1;

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let headers: Record<string, unknown> = {};
  const server = createServer(async (request, response) => {
    headers = request.headers;
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const bytes = Buffer.concat(pieces);
    const isExport = request.method === "POST" && request.url === "/v1/traces";
    if (!isExport || request.headers["content-type"] !== "application/x-protobuf") {
      response.writeHead(404).end();
      return;
    }
    spans.push(...decode(request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes));
    response.writeHead(200, { "Content-Type": "application/x-protobuf" }).end();
  });
  const url = await listen(server);
  return {
    url,
    spans,
    headers: () => headers,
    stop: () => stop(server),
  };
}

/** Takes connections and requests, and never answers. */
export async function startSilentReceiver(): Promise<Pick<OtlpReceiver, "url" | "stop"> & { requests(): number }> {
  let requests = 0;
  const server = createServer(() => {
    requests += 1;
  });
  return { url: await listen(server), requests: () => requests, stop: () => stop(server) };
}

function decode(bytes: Uint8Array): ReceivedSpan[] {
  return ExportTraceServiceRequest.decode(bytes).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const told = new Map(resource.attributes.map(({ key, value }) => [key, value.stringValue ?? ""]));
    const service = told.get("service.name") ?? "";
    const instance = told.get("service.instance.id") ?? "";
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId, name }) => {
        return { traceId: hex(traceId), spanId: hex(spanId), parentId: hex(parentSpanId), name, service, instance };
      }),
    );
  });
}

function hex(bytes: Uint8Array | null): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
