import { Agent, type AgentOptions } from "node:http";
import { type Duplex, Readable } from "node:stream";
import fetch from "node-fetch";
import { CONNECTION_MS, IDLE_CONNECTION_MS, type Transport } from "../transport.ts";

/** Node's own agent, whose connections are used again for so long and no longer. */
class MortalAgent extends Agent {
  readonly #endsAtMs = new WeakMap<Duplex, number>();
  readonly #connectionMs: number;

  constructor(connectionMs: number, options: AgentOptions) {
    super(options);
    this.#connectionMs = connectionMs;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const endsAtMs = this.#endsAtMs.get(socket) ?? performance.now() + this.#connectionMs;
    this.#endsAtMs.set(socket, endsAtMs);
    // It answers whether the connection may be used again, which its type does not know.
    return performance.now() < endsAtMs && (super.keepSocketAlive(socket) as unknown as boolean);
  }
}

/** HTTP by node-fetch over Node's own agent. */
export function createNodeFetchTransport(origin: string, connectionMs = CONNECTION_MS): Transport {
  const agent = new MortalAgent(connectionMs, { keepAlive: true, timeout: IDLE_CONNECTION_MS });
  return {
    async send({ method, path, headers, body, signal }) {
      const answer = await fetch(`${origin}${path}`, {
        method,
        headers,
        body: body ?? null,
        signal,
        agent,
        redirect: "manual",
      });
      return {
        status: answer.status,
        header: (name) => answer.headers.get(name),
        body: (answer.body === null ? Readable.from([]) : Readable.from(answer.body)).setEncoding("utf8"),
      };
    },
    async close() {
      agent.destroy();
    },
  };
}
