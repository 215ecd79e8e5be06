import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What becomes of the next COMMIT: it does not arrive, its answer does not, or it arrives late and its answer does not. */
export type Cut = "before" | "after" | "late";

/** Stands between a store and its server, and can cut the connection at a COMMIT. */
export interface CuttingProxy {
  /** The server's URL, by way of here. */
  readonly url: string;
  /** Does so at the next COMMIT. */
  cutNext(how: Cut): void;
  /** How often it was done. */
  readonly cuts: number;
  stop(): Promise<void>;
}

const COMMIT = Buffer.from("COMMIT\0");
const LATE_MS = 300;

export async function startCuttingProxy(url: string): Promise<CuttingProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let next: Cut | undefined;
  let cuts = 0;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    let isMute = false;
    upstream.on("data", (data) => {
      if (isMute) client.destroy();
      else client.write(data);
    });
    client.on("data", (data) => {
      const how = data.includes(COMMIT) ? next : undefined;
      if (how === undefined) {
        upstream.write(data);
        return;
      }
      next = undefined;
      cuts += 1;
      if (how === "before") client.destroy();
      else if (how === "after") {
        isMute = true;
        upstream.write(data);
      } else {
        client.removeAllListeners("close");
        client.destroy();
        setTimeout(() => upstream.end(data), LATE_MS);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const via = new URL(url);
  via.port = String((server.address() as AddressInfo).port);
  return {
    url: via.href,
    cutNext(how) {
      next = how;
    },
    get cuts() {
      return cuts;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
