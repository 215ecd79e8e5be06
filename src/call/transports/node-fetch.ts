import { Agent } from "node:http";
import { Readable } from "node:stream";
import fetch from "node-fetch";
import { IDLE_CONNECTION_MS, type Transport } from "../transport.ts";

/** HTTP by node-fetch over Node's own agent. */
export function createNodeFetchTransport(origin: string): Transport {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS });
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
