import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { http } from "../base/common-js.ts";
import { Problem } from "../base/problem.ts";
import { LINGER_MS } from "../call/limits.ts";
import { PROBLEM_TYPE, problemBody, problemHeaders } from "../call/problem-body.ts";
import { requestIdOf } from "./request-id.ts";
import { DATA_HEADERS } from "./security-headers.ts";

/** A request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Answers what Node's HTTP parser refuses, which never becomes a request, as a problem (RFC 9457) instead of Node's
 * empty body, and closes the connection: after a fault nobody knows where the next request would begin.
 */
export class ParserErrors {
  readonly #latest: (socket: Duplex) => Exchange | undefined;
  readonly #refused = new WeakSet<Duplex>();

  /** @param latest the latest request of a connection */
  constructor(server: Server, latest: (socket: Duplex) => Exchange | undefined) {
    this.#latest = latest;
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => this.#onError(error, socket));
    server.on("connect", (request, socket) => {
      socket.on("error", () => {}); // Node leaves the socket to us, and the client may be gone
      refuse(socket, new Problem("malformed-request", "This is not a proxy."), request.url);
    });
  }

  #onError(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    if (this.#refused.has(socket)) return; // what it goes on to send is refused already
    this.#refused.add(socket);
    const latest = this.#latest(socket);
    if (latest === undefined || isOver(latest)) refuse(socket, problemOf(error));
    else if (latest.request.complete) closeAfter(latest.response, socket);
    else breakOff(latest, problemOf(error));
  }
}

/** Answers a request that Node took and that is not to be served, and closes its connection. */
export function refuseRequest(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  if (!response.hasHeader("X-Request-Id")) {
    response.setHeader("X-Request-Id", requestIdOf(request.headers["x-request-id"]));
  }
  const requestId = String(response.getHeader("X-Request-Id"));
  const body = JSON.stringify(problemBody(problem, pathOf(request.url), requestId));
  response.writeHead(problem.status, { ...problemHeaders(problem), ...answerHeaders(body) }).end(body);
}

function isOver({ request, response }: Exchange): boolean {
  return request.complete && response.writableFinished;
}

/** A request before the faulty one still waits for its answer, which the answer to the fault must not be taken for. */
function closeAfter(response: ServerResponse, socket: Duplex): void {
  if (!response.headersSent) response.setHeader("Connection", "close");
  response.once("close", () => socket.destroy());
}

/** The fault is in the body of a request that is being served. Those before it on the connection are answered first. */
function breakOff({ request, response }: Exchange, problem: Problem): void {
  const isNext = response.socket !== null;
  if (!response.headersSent) refuseRequest(request, response, problem);
  else if (isNext) request.socket.destroy();
  else closeAfter(response, request.socket);
}

function refuse(socket: Duplex, problem: Problem, url?: string): void {
  const requestId = requestIdOf(undefined);
  const body = JSON.stringify(problemBody(problem, pathOf(url), requestId));
  const headers = { ...answerHeaders(body), "X-Request-Id": requestId, Date: new Date().toUTCString() };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${problem.status} ${http.STATUS_CODES[problem.status]}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

function problemOf({ code = "" }: NodeJS.ErrnoException): Problem {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return new Problem("request-timeout", "The request did not come in time.");
  if (code === "HPE_HEADER_OVERFLOW") return new Problem("header-too-large", "The headers have more than 16 KiB.");
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") {
    return new Problem("payload-too-large", "The body's chunks have extensions that are too long.");
  }
  if (code === "HPE_INVALID_METHOD") {
    return new Problem("malformed-request", "This does not begin with a method of HTTP that is known here.");
  }
  return new Problem("malformed-request", "This is not a request of HTTP/1.1.");
}

function answerHeaders(body: string): Record<string, string> {
  return {
    "Content-Type": PROBLEM_TYPE,
    "Content-Length": String(Buffer.byteLength(body)),
    "Cache-Control": "no-store",
    ...DATA_HEADERS,
    Connection: "close",
  };
}

/** What is known of the path: nothing, where the fault came before it was read. */
function pathOf(url = "/"): string {
  return url.split("?", 1)[0] ?? "/";
}
