import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

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
  const asked = new Asked(load);
  const until = performance.now() + load.durationMs;
  const askOn = async () => {
    const connection = new Connection(load);
    do await asked.ask(connection);
    while (performance.now() < until);
    connection.end();
  };
  await Promise.all(Array.from({ length: load.connections }, askOn));
  return asked.end();
}

/**
 * An open loop: so many requests a second, each at its time, whether those before were answered or not.
 * @throws Error as `applyLoad`
 */
export async function applySteadyLoad(
  load: Omit<Load, "connections"> & { readonly perSecond: number },
): Promise<Loaded> {
  const asked = new Asked(load);
  const idle: Connection[] = [];
  const askOnce = async () => {
    const connection = idle.pop() ?? new Connection(load);
    await asked.ask(connection);
    idle.push(connection);
  };
  const running: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let n = 0; n < (load.perSecond * load.durationMs) / 1_000; n++) {
    const earlyMs = startedAt + (n * 1_000) / load.perSecond - performance.now();
    if (earlyMs > 0) await sleep(earlyMs);
    running.push(askOnce());
  }
  await Promise.all(running);
  for (const connection of idle) connection.end();
  return asked.end();
}

/** What was asked in turn, and what came of it. */
class Asked {
  readonly #load: Pick<Load, "requests" | "status">;
  readonly #startedAt = performance.now();
  readonly #latenciesMs: number[] = [];
  readonly #statuses = new Map<number, number>();
  #turn = 0;

  constructor(load: Pick<Load, "requests" | "status">) {
    this.#load = load;
  }

  async ask(connection: Connection): Promise<void> {
    const { requests } = this.#load;
    const request = requests[this.#turn++ % requests.length] ?? Buffer.alloc(0);
    const { status, latencyMs } = await connection.ask(request);
    this.#latenciesMs.push(latencyMs);
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
  }

  /** @throws Error when some answers had another status */
  end(): Loaded {
    const strange = [...this.#statuses].filter(([status]) => status !== this.#load.status);
    if (strange.length > 0) throw new Error(`answers other than ${this.#load.status}: ${JSON.stringify(strange)}`);
    const elapsedMs = performance.now() - this.#startedAt;
    return { answers: this.#latenciesMs.length, elapsedMs, latenciesMs: this.#latenciesMs };
  }
}

/** Carries one request at a time. */
class Connection {
  readonly #socket: Socket;
  readonly #connected: Promise<unknown>;
  #received: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<number> | undefined;

  constructor({ host, port }: Pick<Load, "host" | "port">) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#connected = once(this.#socket, "connect");
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error) => this.#waiting?.reject(error));
    this.#socket.on("close", () => this.#waiting?.reject(new Error("closed before the answer")));
  }

  /** Resolves the status of the answer, and how long it took. */
  async ask(request: Buffer): Promise<{ readonly status: number; readonly latencyMs: number }> {
    await this.#connected;
    const sentAt = performance.now();
    this.#waiting = Promise.withResolvers();
    this.#socket.write(request);
    const status = await this.#waiting.promise;
    return { status, latencyMs: performance.now() - sentAt };
  }

  end(): void {
    this.#waiting = undefined;
    this.#socket.end();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const answer = readAnswer(this.#received);
    if (answer === undefined) return;
    if (answer instanceof Error) {
      this.#waiting?.reject(answer);
      return;
    }
    this.#received = this.#received.subarray(answer.length);
    this.#waiting?.resolve(answer.status);
  }
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
