import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * How fast requests follow one another: a closed loop, in which each connection sends its next when the last was answered, or an
 * open one, of so many a second, each at its time, whether those before were answered or not.
 */
export type Pace = { readonly connections: number } | { readonly perSecond: number };

export interface Load {
  readonly host: string;
  /** Each connection goes to the next of them. */
  readonly ports: readonly number[];
  /** The next request, a whole HTTP/1.1 one. */
  readonly next: () => Buffer;
  /** The status that every answer is to have. */
  readonly status: number;
  /** What is asked next on the same connection, given an answer's Location; the latency is up to the answer of that. */
  readonly thenAsk?: (location: string) => Buffer;
  /** What the answer to that, a 200, is to contain. */
  readonly thenFind?: string;
}

export interface Loaded {
  readonly answers: number;
  /** From the first request to the last answer. */
  readonly elapsedMs: number;
  /** One for each answer, in milliseconds, unordered. */
  readonly latenciesMs: readonly number[];
}

/**
 * Sends requests for a while, and waits for all answers. Written on bare sockets, so that it takes little of the processor that it
 * shares with what it measures.
 * @throws Error when a connection fails, an answer has no Content-Length, or, at the end, some were not as they should be
 */
export async function applyLoad(load: Load, pace: Pace, durationMs: number): Promise<Loaded> {
  const asked = new Asked(load);
  if ("connections" in pace) await askInLoops(asked, load, pace.connections, durationMs);
  else await askSteadily(asked, load, pace.perSecond, durationMs);
  return asked.end();
}

async function askInLoops(asked: Asked, load: Load, connections: number, durationMs: number): Promise<void> {
  const until = performance.now() + durationMs;
  const connect = connector(load);
  const askOn = async () => {
    const connection = connect();
    do await asked.ask(connection);
    while (performance.now() < until);
    connection.end();
  };
  await Promise.all(Array.from({ length: connections }, askOn));
}

async function askSteadily(asked: Asked, load: Load, perSecond: number, durationMs: number): Promise<void> {
  const connect = connector(load);
  const idle = load.ports.map(connect);
  const askOnce = async () => {
    const connection = idle.shift() ?? connect();
    await asked.ask(connection);
    idle.push(connection);
  };
  const running: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let n = 0; n < (perSecond * durationMs) / 1_000; n++) {
    const earlyMs = startedAt + (n * 1_000) / perSecond - performance.now();
    if (earlyMs > 0) await sleep(earlyMs);
    running.push(askOnce());
  }
  await Promise.all(running);
  for (const connection of idle) connection.end();
}

function connector({ host, ports }: Load): () => Connection {
  let made = 0;
  return () => new Connection(host, ports[made++ % ports.length] ?? 0);
}

/** What was asked, and what came of it. */
class Asked {
  readonly #load: Load;
  readonly #startedAt = performance.now();
  readonly #latenciesMs: number[] = [];
  /** How often what was answered that should not have been. */
  readonly #strange = new Map<string, number>();

  constructor(load: Load) {
    this.#load = load;
  }

  async ask(connection: Connection): Promise<void> {
    const { next, status, thenAsk, thenFind = "" } = this.#load;
    await connection.connected;
    const sentAt = performance.now();
    const answer = await connection.ask(next());
    if (answer.status !== status) this.#note(String(answer.status));
    else if (thenAsk !== undefined) {
      const then = await connection.ask(thenAsk(locationOf(answer)));
      if (then.status !== 200 || !then.bytes.includes(thenFind)) this.#note(`${then.status} without ${thenFind}`);
    }
    this.#latenciesMs.push(performance.now() - sentAt);
  }

  /** @throws Error when some answers were not as they should be */
  end(): Loaded {
    const { status } = this.#load;
    if (this.#strange.size > 0) throw new Error(`answers other than ${status}: ${JSON.stringify([...this.#strange])}`);
    const elapsedMs = performance.now() - this.#startedAt;
    return { answers: this.#latenciesMs.length, elapsedMs, latenciesMs: this.#latenciesMs };
  }

  #note(answer: string): void {
    this.#strange.set(answer, (this.#strange.get(answer) ?? 0) + 1);
  }
}

interface Answer {
  readonly status: number;
  /** All of it, its head included. */
  readonly bytes: Buffer;
}

/** Carries one request at a time. */
class Connection {
  readonly connected: Promise<unknown>;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<Answer> | undefined;

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.connected = once(this.#socket, "connect");
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error) => this.#waiting?.reject(error));
    this.#socket.on("close", () => this.#waiting?.reject(new Error("closed before the answer")));
  }

  ask(request: Buffer): Promise<Answer> {
    this.#waiting = Promise.withResolvers();
    this.#socket.write(request);
    return this.#waiting.promise;
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
    this.#received = this.#received.subarray(answer.bytes.length);
    this.#waiting?.resolve(answer);
  }
}

/** The answer that the bytes begin with, undefined while it is not all there. */
function readAnswer(bytes: Buffer): Answer | Error | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const bodyLength = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (bodyLength === undefined) return new Error(`an answer without Content-Length: ${head}`);
  const length = headEnd + 4 + Number(bodyLength);
  return bytes.length < length ? undefined : { status: Number(head.slice(9, 12)), bytes: bytes.subarray(0, length) };
}

function locationOf({ bytes }: Answer): string {
  return /\r\nlocation: *(\S+)/i.exec(bytes.toString("latin1"))?.[1] ?? "";
}
