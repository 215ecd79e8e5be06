import type { RequestListener } from "node:http";
import { Problem } from "../../base/problem.ts";
import { createTurns } from "../../base/turns.ts";
import { refuseRequest } from "../../http/parser-errors.ts";
import { type HttpServer, listen } from "../../http/server.ts";
import { type Config, portOf } from "../config.ts";
import type { ServiceName } from "../modules.ts";

/** Where a service of this process is reached from outside. */
export interface Door {
  readonly name: ServiceName;
  readonly url: string;
  /** Until then requests are refused, with the way to say that nothing was begun. */
  open(handler: RequestListener): void;
}

/** The doors of this process; each listens from when it is asked for. */
export class Doors {
  readonly #config: Config;
  readonly #doors = new Map<ServiceName, Door & { readonly server: HttpServer }>();
  readonly #inTurn = createTurns();

  constructor(config: Config) {
    this.#config = config;
  }

  /**
   * Listens for a service on its port, unless it does already.
   * @param port 0 for any free one
   * @throws Error EADDRINUSE and the like
   */
  listen(name: ServiceName, port = portOf(this.#config, name)): Promise<Door> {
    return this.#inTurn(name, async () => {
      const door = this.#doors.get(name) ?? (await this.#make(name, port));
      this.#doors.set(name, door);
      return door;
    });
  }

  get urls(): ReadonlyMap<ServiceName, string> {
    return new Map(Array.from(this.#doors, ([name, { url }]) => [name, url]));
  }

  /** See `HttpServer.stop`. */
  async stop(times: Parameters<HttpServer["stop"]>[0]): Promise<void> {
    await Promise.all(Array.from(this.#doors.values(), ({ server }) => server.stop(times)));
  }

  async #make(name: ServiceName, port: number): Promise<Door & { readonly server: HttpServer }> {
    const { HEADERS_TIMEOUT, REQUEST_TIMEOUT, HOST } = this.#config;
    const timeouts = { headersMs: HEADERS_TIMEOUT, requestMs: REQUEST_TIMEOUT };
    let handler = refuseWhileStarting;
    const server = await listen((request, response) => handler(request, response), HOST, port, timeouts);
    return {
      name,
      server,
      url: server.url,
      open(ready) {
        handler = ready;
      },
    };
  }
}

const refuseWhileStarting: RequestListener = (request, response) =>
  refuseRequest(request, response, new Problem("dependency-unavailable", "This process is starting."));
