import type { RequestListener, Server } from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";
import { http } from "../base/common-js.ts";
import { originOf } from "../base/origin.ts";
import { HEAD_LIMIT_BYTES } from "../call/limits.ts";
import { type Exchange, ParserErrors, refuseRequest } from "./parser-errors.ts";
import { problemOfHead } from "./request-head.ts";

/** Longer than any client of ours keeps an idle connection, so that the client closes first and nothing is reset. */
const KEEP_ALIVE_MS = 65_000;

/** An HTTP server that can stop without breaking an answer. */
export interface HttpServer {
  /** `http://host:port`, the port being the real one also when 0 was asked for. */
  readonly url: string;
  /**
   * Stops: no new connections, answers carry `Connection: close`, requests in flight finish. Connections that
   * stay idle are closed after `idleMs`, all that is left after `timeoutMs`.
   */
  stop(options: { idleMs: number; timeoutMs: number }): Promise<void>;
}

/**
 * The connections that are open, each with its latest request, undefined before the first. Answers go out in order: when the answer
 * to the latest is out, so are all others. A set of what is being answered would be simpler and cost more than it looks: V8 links each
 * table that a set or map outgrows to the next, so that one old table keeps all that went through since alive until the old generation
 * is collected.
 */
type Connections = Map<Duplex, Exchange | undefined>;

/** How long a client may take to send a request, from its first byte. */
export interface ReceiveTimeouts {
  readonly headersMs: number;
  /** Headers and body. */
  readonly requestMs: number;
}

const RECEIVE_TIMEOUTS: ReceiveTimeouts = { headersMs: 10_000, requestMs: 30_000 };

/**
 * Listens. What is no request that can be understood in only one way is answered here and never gets to the handler.
 * @param port 0 for any free one
 * @throws Error with the code of the system, such as EADDRINUSE
 */
export async function listen(
  handler: RequestListener,
  host: string,
  port: number,
  timeouts: ReceiveTimeouts = RECEIVE_TIMEOUTS,
): Promise<HttpServer> {
  let stopping = false;
  const connections: Connections = new Map();
  const server = http.createServer(optionsOf(timeouts));
  server.maxHeadersCount = 0; // their size is limited; beyond a number Node would drop them silently
  new ParserErrors(server, (socket) => connections.get(socket));
  const serve: RequestListener = (request, response) => {
    connections.set(request.socket, { request, response });
    if (stopping) response.setHeader("Connection", "close");
    const problem = problemOfHead(request);
    if (problem === undefined) handler(request, response);
    else refuseRequest(request, response, problem);
  };
  server.on("connection", (socket) => {
    connections.set(socket, undefined);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", serve);
  server.on("checkExpectation", serve); // RFC 9110, 10.1.1: an expectation that is not known may be ignored
  server.on("checkContinue", (request, response) => {
    // Whoever begins to read the body asks for it: a request that is refused before that is never sent whole.
    request.once("resume", () => {
      if (!response.headersSent) response.writeContinue();
    });
    serve(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  const address = server.address() as net.AddressInfo;
  return {
    url: originOf(host, address.port),
    stop({ idleMs, timeoutMs }) {
      stopping = true;
      for (const latest of connections.values()) {
        if (latest?.response.headersSent === false) latest.response.setHeader("Connection", "close");
      }
      return stopGently(server, connections, idleMs, timeoutMs);
    },
  };
}

function optionsOf({ headersMs, requestMs }: ReceiveTimeouts) {
  return {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(1_000, headersMs),
    maxHeaderSize: HEAD_LIMIT_BYTES,
    requireHostHeader: false, // Node would answer without a body; `problemOfHead` looks
  };
}

/**
 * A browser opens connections that it may never use; Node does not count them as idle. `http.Server.close` would also cut idle
 * connections, on which a request may be under way; the close of `net.Server` stops the listening only.
 */
function stopGently(server: Server, connections: Connections, idleMs: number, timeoutMs: number): Promise<void> {
  const closeIdle = () => {
    server.closeIdleConnections();
    for (const [socket, latest] of connections) {
      if (latest === undefined && socket instanceof net.Socket && socket.bytesRead === 0) socket.destroy();
    }
  };
  return new Promise((resolve) => {
    const idle = setTimeout(closeIdle, idleMs);
    const rest = setTimeout(() => server.closeAllConnections(), timeoutMs);
    net.Server.prototype.close.call(server, () => {
      clearTimeout(idle);
      clearTimeout(rest);
      resolve();
    });
  });
}
