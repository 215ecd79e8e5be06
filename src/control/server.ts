import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { makeFolder } from "../store/make-folder.ts";
import { converse } from "./conversation.ts";
import type { ControlOperations } from "./operation.ts";
import { controlFolder, SOCKET, withShortPath } from "./place.ts";
import { isDeserted, socketsIn } from "./sockets.ts";

/** Who comes beyond that many at once is not heard. */
const MOST_CONNECTIONS = 64;

/** By which a process is controlled. */
export interface ControlSocket {
  readonly path: string;
  /** Takes the socket away, and breaks off what is being said by it. */
  close(): Promise<void>;
}

/**
 * Listens on a Unix socket of its own below this folder, which the owner of the folder alone can connect to. What others have left
 * there that listen no more is taken away.
 * @param onUnexpected told of operations that fail without a name
 * @throws Error of the system where there can be none: the folder cannot be written, or is not ours; there are no such sockets here
 */
export async function openControlSocket(
  dataDir: string,
  operations: ControlOperations,
  onUnexpected: (error: unknown) => void,
): Promise<ControlSocket> {
  if (process.platform === "win32") throw new Error("there are no sockets in folders on Windows");
  const folder = controlFolder(dataDir);
  makeFolder(folder);
  chmodSync(folder, 0o700);
  const connections = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket.once("close", () => connections.delete(socket)));
    void converse(socket, operations, onUnexpected);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await takeAwayDeserted(dataDir);
  const path = await listenIn(folder, server);
  server.on("error", () => {}); // one that cannot be let in, as when there are too many open files, may try again
  return {
    path,
    async close() {
      rmSync(path, { force: true });
      const closed = once(server.close(), "close");
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}

/** Has its name only once somebody listens, for nobody to take it for deserted before. */
async function listenIn(folder: string, server: Server): Promise<string> {
  const name = `${process.pid}-${randomBytes(4).toString("hex")}`;
  const path = join(folder, `${name}${SOCKET}`);
  try {
    await once(
      withShortPath(folder, name, (short) => server.listen(short)),
      "listening",
    );
    chmodSync(join(folder, name), 0o600);
    renameSync(join(folder, name), path);
    return path;
  } catch (error) {
    server.close();
    throw error;
  }
}

async function takeAwayDeserted(dataDir: string): Promise<void> {
  const sockets = await socketsIn(dataDir);
  await Promise.all(
    sockets.map(async (socket) => {
      if (await isDeserted(socket)) rmSync(socket, { force: true });
    }),
  );
}
