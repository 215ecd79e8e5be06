import { createServer, type RequestListener, type Server } from "node:http";
import net from "node:net";

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
 * Listens.
 * @param port 0 for any free one
 * @throws Error with the code of the system, such as EADDRINUSE
 */
export async function listen(handler: RequestListener, host: string, port: number): Promise<HttpServer> {
  let stopping = false;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    if (stopping) response.setHeader("Connection", "close");
    handler(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  const address = server.address() as net.AddressInfo;
  return {
    url: `http://${net.isIPv6(host) ? `[${host}]` : host}:${address.port}`,
    stop({ idleMs, timeoutMs }) {
      stopping = true;
      return stopGently(server, idleMs, timeoutMs);
    },
  };
}

/**
 * `http.Server.close` would also cut idle connections, on which a request may be under way; the close of
 * `net.Server` stops the listening only.
 */
function stopGently(server: Server, idleMs: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const idle = setTimeout(() => server.closeIdleConnections(), idleMs);
    const rest = setTimeout(() => server.closeAllConnections(), timeoutMs);
    net.Server.prototype.close.call(server, () => {
      clearTimeout(idle);
      clearTimeout(rest);
      resolve();
    });
  });
}
