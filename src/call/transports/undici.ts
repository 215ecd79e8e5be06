import { createRequire } from "node:module";
import { StringDecoder } from "node:string_decoder";
import type { Dispatcher, Pool } from "undici";
import {
  CONNECTION_MS,
  IDLE_CONNECTION_MS,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
} from "../transport.ts";
import { Pieces } from "./pieces.ts";

/** Its pool alone: all of undici, with fetch, WebSocket and caches, takes 15 MB and 50 ms more of each process. */
const UndiciPool: typeof Pool = createRequire(import.meta.url)("undici/lib/dispatcher/pool.js");

/** HTTP by undici's pool: the cheapest per call. */
export function createUndiciTransport(origin: string, connectionMs = CONNECTION_MS): Transport {
  const times = { keepAliveTimeout: IDLE_CONNECTION_MS, clientTtl: connectionMs, headersTimeout: 0, bodyTimeout: 0 };
  const pool = new UndiciPool(origin, times);
  return {
    send(request) {
      const { method, path, headers, body = null } = request;
      const exchange = new Exchange(request.signal);
      pool.dispatch({ method: method as "GET", path, headers, body }, exchange);
      return exchange.answered;
    },
    close: () => pool.destroy(),
  };
}

/** A request and its answer. What undici's own `request` adds, a stream and an asynchronous resource, costs more than all of this. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly answered: Promise<TransportAnswer>;
  readonly #resolve: (answer: TransportAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: TransportRequest["signal"];
  readonly #decoder = new StringDecoder("utf8");
  readonly #pieces = new Pieces();
  #controller: Dispatcher.DispatchController | undefined;
  readonly #abort = () => this.#controller?.abort(this.#signal.reason);

  constructor(signal: TransportRequest["signal"]) {
    const { promise, resolve, reject } = Promise.withResolvers<TransportAnswer>();
    this.answered = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    signal.addEventListener("abort", this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) this.#abort();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return; // another follows
    const header = (name: string) => {
      const value = headers[name];
      return (Array.isArray(value) ? value[0] : value) ?? null;
    };
    this.#resolve({ status, header, body: this.#pieces });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#pieces.push(this.#decoder.write(chunk));
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.#pieces.push(this.#decoder.end());
    this.#pieces.end();
  }

  /** Before the answer has begun, or in its midst. */
  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.#reject(error);
    this.#pieces.fail(error);
  }
}
