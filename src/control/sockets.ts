import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { controlFolder, SOCKET, withShortPath } from "./place.ts";

/** The sockets below this folder, whether anybody listens on them or not. */
export async function socketsIn(dataDir: string): Promise<string[]> {
  const folder = controlFolder(dataDir);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  return names.filter((name) => name.endsWith(SOCKET)).map((name) => join(folder, name));
}

/** @throws Error of the system, such as ECONNREFUSED where nobody listens any more */
export async function connectTo(socket: string): Promise<Socket> {
  const connection = withShortPath(dirname(socket), basename(socket), (path) => createConnection({ path }));
  await once(connection, "connect");
  return connection.on("error", () => {}); // also between two looks at what comes
}

/** Whether nobody listens there any more: the system says so for certain. */
export async function isDeserted(socket: string): Promise<boolean> {
  try {
    (await connectTo(socket)).destroy();
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
  }
}
