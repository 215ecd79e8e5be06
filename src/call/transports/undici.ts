import { Pool } from "undici";
import { CONNECTION_MS, IDLE_CONNECTION_MS, type Transport } from "../transport.ts";

/** HTTP by undici's pool: the cheapest per call. */
export function createUndiciTransport(origin: string, connectionMs = CONNECTION_MS): Transport {
  const times = { keepAliveTimeout: IDLE_CONNECTION_MS, clientTtl: connectionMs, headersTimeout: 0, bodyTimeout: 0 };
  const pool = new Pool(origin, times);
  return {
    async send({ method, path, headers, body, signal }) {
      const answer = await pool.request({ method: method as "GET", path, headers, body: body ?? null, signal });
      return {
        status: answer.statusCode,
        header(name) {
          const value = answer.headers[name];
          return (Array.isArray(value) ? value[0] : value) ?? null;
        },
        body: answer.body.setEncoding("utf8"),
      };
    },
    close: () => pool.destroy(),
  };
}
