import { connect, type Socket } from "node:net";

export interface Load {
  readonly host: string;
  readonly port: number;
  /** Whole HTTP/1.1 requests, sent in turn over all connections. */
  readonly requests: readonly Buffer[];
  readonly connections: number;
  readonly durationMs: number;
  /** The status that every answer is to have. */
  readonly status: number;
}

export interface Loaded {
  readonly answers: number;
  /** From the first request to the last answer. */
  readonly elapsedMs: number;
  /** One for each answer, in milliseconds, unordered. */
  readonly latenciesMs: readonly number[];
}

/**
 * A closed loop: each connection sends its next request when the last was answered. Written on bare sockets, so
 * that it takes little of the processor that it shares with what it measures.
 * @throws Error when a connection fails, an answer has no Content-Length, or, at the end, some had another status
 */
export async function applyLoad(load: Load): Promise<Loaded> {
  const latenciesMs: number[] = [];
  const statuses = new Map<number, number>();
  let turn = 0;
  const shared: Shared = {
    next: () => load.requests[turn++ % load.requests.length] ?? Buffer.alloc(0),
    answered(status, latencyMs) {
      latenciesMs.push(latencyMs);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    },
    until: performance.now() + load.durationMs,
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: load.connections }, () => runConnection(load, shared)));
  const elapsedMs = performance.now() - startedAt;
  const strange = [...statuses].filter(([status]) => status !== load.status);
  if (strange.length > 0) throw new Error(`answers other than ${load.status}: ${JSON.stringify(strange)}`);
  return { answers: latenciesMs.length, elapsedMs, latenciesMs };
}

interface Shared {
  next(): Buffer;
  answered(status: number, latencyMs: number): void;
  readonly until: number;
}

function runConnection(load: Load, shared: Shared): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: load.host, port: load.port, noDelay: true });
    let sentAt = 0;
    let received: Buffer = Buffer.alloc(0);
    const send = () => {
      sentAt = performance.now();
      socket.write(shared.next());
    };
    socket.on("connect", send);
    socket.on("data", (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const answer = readAnswer(received);
      if (answer === undefined) return;
      if (answer instanceof Error) return void socket.destroy(answer);
      const now = performance.now();
      received = received.subarray(answer.length);
      shared.answered(answer.status, now - sentAt);
      if (now < shared.until) send();
      else socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
}

/** The status and whole length of the answer that the bytes begin with, undefined while it is not all there. */
function readAnswer(bytes: Buffer): { status: number; length: number } | Error | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const bodyLength = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (bodyLength === undefined) return new Error(`an answer without Content-Length: ${head}`);
  const length = headEnd + 4 + Number(bodyLength);
  return bytes.length < length ? undefined : { status: Number(head.slice(9, 12)), length };
}
