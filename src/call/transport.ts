import { Problem } from "../base/problem.ts";

/** One HTTP request of ours to a neighbour. */
export interface TransportRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

export interface TransportAnswer {
  readonly status: number;
  header(name: string): string | null;
  /** The body in pieces of text, as they arrive. To be read to its end, or the connection is not used again. */
  readonly body: AsyncIterable<string>;
}

/** Carries requests to one neighbour: what differs between HTTP libraries, and nothing else. */
export interface Transport {
  /** Resolves when the headers are there. Rejects when the neighbour cannot be reached, or on abort. */
  send(request: TransportRequest): Promise<TransportAnswer>;
  close(): Promise<void>;
}

/** How long an idle connection is kept: shorter than the server keeps it. */
export const IDLE_CONNECTION_MS = 30_000;

/** How long a connection is used: where one name leads to several replicas by connection, they all get their share. */
export const CONNECTION_MS = 10_000;

/** Makes the transport to the neighbour at `origin`, such as `http://users:8001`. */
export type CreateTransport = (origin: string) => Transport;

/** The problem that callers see of a service that is not there. */
export function unreachable(service: string, cause?: unknown): Problem {
  return new Problem("dependency-unavailable", `The ${service} service cannot be reached.`, { cause });
}
