import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** One address in front of servers that may change, as a proxy or a virtual address is. */
export interface Forwarder {
  readonly port: number;
  /** Where new connections lead; those that are there stay. */
  target: number;
  close(): Promise<void>;
}

/** @param change what is done to the bytes on their way to the server; as many have to come out */
export async function startForwarder(target: number, change = (bytes: Buffer) => bytes): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(forwarder.target, "127.0.0.1");
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.on("data", (bytes: Buffer) => upstream.write(change(bytes)));
    upstream.on("data", (bytes: Buffer) => client.write(bytes));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const forwarder: Forwarder = {
    port: (server.address() as AddressInfo).port,
    target,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return forwarder;
}
