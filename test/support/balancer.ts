import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const LOOK_EVERY_MS = 50;

/** What stands before several servers, as a proxy or Kubernetes does: each connection goes to the next one that is ready. */
export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * @param origins such as `http://127.0.0.1:port`
 * @param isReady whether one may be given connections, by default as a gateway tells
 */
export async function startBalancer(
  origins: readonly string[],
  isReady: (origin: string) => Promise<boolean> = isGatewayReady,
): Promise<Balancer> {
  const ready = new Set(origins);
  const open = new Set<Socket>();
  let turn = 0;
  let stopped = false;

  async function watch(origin: string): Promise<void> {
    while (!stopped) {
      if (await isReady(origin).catch(() => false)) ready.add(origin);
      else ready.delete(origin);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** To the next that takes the connection. */
  function carry(client: Socket, tried: number): void {
    turn += 1;
    const able = origins.filter((origin) => ready.has(origin));
    const place = able[turn % Math.max(1, able.length)];
    if (place === undefined || client.destroyed) return void client.destroy();
    const upstream = connect(Number(new URL(place).port), "127.0.0.1");
    keep(upstream);
    let connected = false;
    upstream.once("connect", () => {
      connected = true;
      client.pipe(upstream).pipe(client);
    });
    upstream.once("error", () => (connected || tried > origins.length ? client.destroy() : carry(client, tried + 1)));
    upstream.once("close", () => connected && client.end());
    client.once("close", () => upstream.destroy());
  }

  function keep(socket: Socket): void {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.on("error", () => {});
  }

  const server = createServer((client) => {
    keep(client);
    carry(client, 0);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const watching = origins.map(watch);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      stopped = true;
      server.close();
      for (const socket of open) socket.destroy();
      await Promise.all(watching);
    },
  };
}

async function isGatewayReady(origin: string): Promise<boolean> {
  const answer = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(2_000) });
  await answer.body?.cancel();
  return answer.status === 200;
}
